// Each kind of error has its code, its message and its place in the client's answer.
import assert from 'node:assert/strict';
import {test} from 'node:test';
import {PostgrestClient, PostgrestError} from '@supabase/postgrest-js';
import {client, refusal, url} from './client.mjs';

test('of reading', async () => {
    const column = await refusal(client.from('products').select('nonsense'), 400, '42703');
    assert.equal(column.message, 'column products.nonsense does not exist');
    const table = await refusal(client.from('prodcts').select(), 404, 'PGRST205');
    assert.match(table.hint, /products/);
    await refusal(client.from('products').select('nonsense(*)'), 400, 'PGRST200');
    await refusal(client.from('products').select('id').eq('id', 'seven'), 400, '22P02');
    await refusal(client.from('products').select('id').filter('id', 'sort_of', 7), 400, 'PGRST100');
    await refusal(client.from('products').select('id').order('nonsense'), 400, '42703');
    await refusal(client.from('products').select('id', {count: 'exact'}).range(5000, 5009), 416, 'PGRST103');
    await refusal(client.schema('secret').from('products').select(), 406, 'PGRST106');
});

test('of single and maybeSingle', async () => {
    const none = await refusal(client.from('products').select('id').eq('id', -1).single(), 406, 'PGRST116');
    assert.deepEqual([none.message, none.details],
        ['Cannot coerce the result to a single JSON object', 'The result contains 0 rows']);
    await refusal(client.from('products').select('id').limit(2).single(), 406, 'PGRST116');
    await refusal(client.from('products').select('id').limit(2).maybeSingle(), 406, 'PGRST116');
});

test('of writing', async () => {
    await refusal(client.from('products').insert({nonsense: 1}), 400, 'PGRST204');
    await refusal(client.from('products').insert([{name: 'x', nonsense: 1}]), 400, 'PGRST204');
    await refusal(client.from('bookings').insert({room: 'blue', days: '[1,5)'}), 409, '23505');
    await refusal(client.from('products').insert({name: 'x', price: 1, category_id: 9999}), 409, '23503');
    await refusal(client.from('products').insert({name: 'x', price: -1, category_id: 1}), 400, '23514');
    await refusal(client.from('products').insert({price: 1, category_id: 1}), 400, '23502');
    await refusal(client.from('bookings').upsert({room: 'x', days: '[1,2)'}, {onConflict: 'room'}), 400, '42P10');
    await refusal(client.from('customers').delete().eq('id', 1), 401, '42501');
});

test('thrown when that is wanted', async () => {
    await assert.rejects(async () => client.from('prodcts').select().throwOnError(), (error) => {
        assert.ok(error instanceof PostgrestError);
        assert.equal(error.code, 'PGRST205');
        return true;
    });
});

test('of a bad token', async () => {
    const stranger = new PostgrestClient(url, {headers: {Authorization: 'Bearer not.a.token'}});
    const {status, error} = await stranger.from('products').select('id').limit(1);
    assert.ok([401, 500].includes(status), `${status}`);
    assert.match(error.code, /^PGRST30[01]$/);
});

test('of a request that is given up, and of a server that is not there', async () => {
    const aborted = await client.from('products').select().abortSignal(AbortSignal.abort());
    assert.equal(aborted.status, 0);
    assert.match(aborted.error.message, /AbortError/);
    const nobody = await new PostgrestClient('http://127.0.0.1:9').from('products').select().retry(false);
    assert.match(nobody.error.message, /fetch failed/);
});
