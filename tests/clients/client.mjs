// The client under test, and how its answers are looked at.
import assert from 'node:assert/strict';
import {PostgrestClient} from '@supabase/postgrest-js';

export const url = process.env.MILLRACE_URL;
export const client = new PostgrestClient(url);

// The data of an answer that must have none but good news.
export async function data(builder, status = 200) {
    const answer = await builder;
    assert.equal(answer.error, null, JSON.stringify(answer.error));
    assert.equal(answer.status, status);
    return answer.data;
}

// An answer that must be an error.
export async function refusal(builder, status, code) {
    const answer = await builder;
    assert.ok(answer.error, `expected ${code}, got ${JSON.stringify(answer.data)}`);
    assert.deepEqual({status: answer.status, code: answer.error.code, data: answer.data}, {status, code, data: null});
    return answer.error;
}

export const ids = (rows) => rows.map((row) => row.id);

// A client that keeps what it is answered, headers too.
export function recording(options = {}) {
    const seen = [];
    const record = async (...request) => {
        const response = await fetch(...request);
        seen.push({url: new URL(request[0]), init: request[1], headers: response.headers, status: response.status});
        return response;
    };
    return {client: new PostgrestClient(url, {...options, fetch: record}), seen};
}
