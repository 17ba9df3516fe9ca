// The client through a Varnish with the rules of deploy/varnish: it sees what it would see without.
import assert from 'node:assert/strict';
import {test} from 'node:test';
import {PostgrestClient} from '@supabase/postgrest-js';
import {client, data, ids} from './client.mjs';

const through = new PostgrestClient(process.env.MILLRACE_FRONT_URL);

test('the count comes through Varnish', async () => {
    for (const kind of ['exact', 'planned', 'estimated']) {
        const direct = await client.from('products').select('id', {count: kind}).order('id').range(0, 9);
        const fronted = await through.from('products').select('id', {count: kind}).order('id').range(0, 9);
        assert.equal(fronted.error, null, JSON.stringify(fronted.error));
        assert.equal(typeof fronted.count, 'number');
        assert.deepEqual({count: fronted.count, ids: ids(fronted.data), status: fronted.status},
            {count: direct.count, ids: ids(direct.data), status: direct.status});
    }
    const head = await through.from('products').select('*', {count: 'exact', head: true});
    assert.ok(head.count > 0);
});

test('rows without a count come through Varnish, and again from it', async () => {
    for (let turn = 0; turn < 3; ++turn) {
        const rows = await data(through.from('categories').select('id, name').order('id').limit(3));
        assert.deepEqual(ids(rows), [1, 2, 3]);
    }
    assert.deepEqual(await data(through.from('categories').select('id').eq('id', -1)), []);
    assert.equal((await data(through.from('categories').select().eq('id', 1).single())).id, 1);
});

test('writes and errors come through Varnish', async () => {
    const changed = await through.from('products').update({stock: 5}, {count: 'exact'}).eq('id', 11).select('stock').single();
    assert.deepEqual([changed.status, changed.count, changed.data], [200, 1, {stock: 5}]);
    const beyond = await through.from('products').select('id', {count: 'exact'}).range(999999, 1000000);
    assert.equal(beyond.status, 416);
    assert.equal(beyond.error.code, 'PGRST103');
});
