// rpc(): by POST, GET and HEAD, with arguments of each kind, and filters and modifiers on what comes back.
import assert from 'node:assert/strict';
import {test} from 'node:test';
import {client, data, ids, recording, refusal} from './client.mjs';

test('scalars, defaults and arrays', async () => {
    assert.equal(await data(client.rpc('add', {a: 1, b: 2})), 3);
    assert.equal(await data(client.rpc('add', {a: 1})), 11);
    assert.equal(await data(client.rpc('add', {a: 1, b: 2}, {get: true})), 3);
    assert.equal(await data(client.rpc('total', {numbers: [1, 2, 3]})), 6);
    assert.equal(await data(client.rpc('total', {numbers: [1, 2, 3]}, {get: true})), 6);
});

test('void', async () => {
    const answer = await client.rpc('nothing');
    assert.deepEqual([answer.status, answer.data, answer.error], [204, null, null]);
});

test('rows, with filters, select, order, limit and embeds', async () => {
    const rows = await data(client.rpc('products_below', {limit_price: 20}).select('id,price,categories(name)')
        .gt('price', 10).order('price').limit(3));
    assert.equal(rows.length, 3);
    assert.ok(rows.every((row) => row.price > 10 && row.price < 20 && row.categories.name !== undefined));
    const same = await data(client.rpc('products_below', {limit_price: 20}, {get: true}).select('id').gt('price', 10)
        .order('price').limit(3));
    assert.deepEqual(ids(same), ids(rows));
});

test('counts, with and without rows', async () => {
    const all = await client.rpc('products_below', {limit_price: 20}, {count: 'exact'}).limit(2);
    assert.equal(all.error, null);
    assert.ok(all.count > 2);
    const head = await client.rpc('products_below', {limit_price: 20}, {head: true, count: 'exact'});
    assert.deepEqual([head.data, head.count], [null, all.count]);
});

test('one composite, and tables', async () => {
    const best = await data(client.rpc('best_product').select('id,price').single());
    assert.ok(best.price > 400);
    assert.deepEqual(await data(client.rpc('words_of', {sentence: 'to be'})), [{place: 1, word: 'to'}, {place: 2, word: 'be'}]);
    assert.deepEqual(await data(client.rpc('words_of', {sentence: 'to be'}).eq('word', 'be').single()), {place: 2, word: 'be'});
});

test('functions that write', async () => {
    assert.equal((await data(client.rpc('remember', {note_slug: 'rpc-1'}).select('slug').single())).slug, 'rpc-1');
    await data(client.rpc('remember', {note_slug: 'rpc-2'}));
    await refusal(client.rpc('forget_all', {note_prefix: 'rpc-'}).maxAffected(1), 400, 'PGRST124');
    assert.equal((await data(client.rpc('forget_all', {note_prefix: 'rpc-'}).maxAffected(2))).length, 2);
});

test('csv and explain of a call', async () => {
    assert.equal(await data(client.rpc('words_of', {sentence: 'to be'}).csv()), 'place,word\n1,to\n2,be');
    assert.match(await data(client.rpc('words_of', {sentence: 'to be'}).explain()), /cost=/);
});

test('what a function raises is the answer', async () => {
    const teapot = await refusal(client.rpc('refuse', {kind: 'teapot'}), 418, 'PT418');
    assert.deepEqual([teapot.message, teapot.details, teapot.hint], ['short and stout', 'the handle', 'the spout']);
    const sunday = recording();
    const closed = await refusal(sunday.client.rpc('refuse', {kind: 'answer'}), 403, 'SHOP7');
    assert.deepEqual([closed.message, closed.details, closed.hint], ['closed', 'on Sundays', 'come back']);
    assert.equal(sunday.seen[0].headers.get('x-open'), 'Monday');
    assert.equal((await refusal(client.rpc('refuse', {kind: 'plainly'}), 400, 'P0001')).message, 'refused plainly');
});

test('functions that are not there, and wrong arguments', async () => {
    await refusal(client.rpc('nonsense'), 404, 'PGRST202');
    await refusal(client.rpc('add', {a: 1, c: 2}), 404, 'PGRST202');
    await refusal(client.rpc('add', {a: 'one'}), 400, '22P02');
});

test('a call that is given up', async () => {
    const began = Date.now();
    const {error, status} = await client.rpc('slow').abortSignal(AbortSignal.timeout(100));
    assert.equal(status, 0);
    assert.match(error.message, /Timeout|Abort/);
    assert.ok(Date.now() - began < 3000);
});
