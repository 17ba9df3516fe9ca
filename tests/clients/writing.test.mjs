// insert(), upsert(), update(), delete(), and what they return.
import assert from 'node:assert/strict';
import {beforeEach, test} from 'node:test';
import {client, data, ids, recording, refusal} from './client.mjs';

const notes = () => client.from('notes');
const slugs = async (prefix) => (await data(notes().select('slug').like('slug', `${prefix}%`).order('slug'))).map((row) => row.slug);

beforeEach(async () => {
    await data(notes().delete().gte('id', 0), 204);
    await data(notes().insert([{id: 1, slug: 'a', body: 'one'}, {id: 2, slug: 'b', body: 'two', stars: 5}], {defaultToNull: false}), 201);
});

test('insert one, without and with what it made', async () => {
    assert.equal(await data(notes().insert({slug: 'c'}), 201), null);
    const row = await data(notes().insert({slug: 'd'}).select('slug,body,stars').single(), 201);
    assert.deepEqual(row, {slug: 'd', body: 'empty', stars: 3});
});

test('insert many: what an object lacks is null, or its default', async () => {
    const nulls = await data(notes().insert([{slug: 'c', body: 'x', stars: 1}, {slug: 'd', stars: 2}]).select('slug,body'), 201);
    assert.deepEqual(nulls, [{slug: 'c', body: 'x'}, {slug: 'd', body: null}]);
    const defaults = await data(notes().insert([{slug: 'e', stars: 1}, {slug: 'f', body: 'y'}], {defaultToNull: false})
        .select('slug,body,stars'), 201);
    assert.deepEqual(defaults, [{slug: 'e', body: 'empty', stars: 1}, {slug: 'f', body: 'y', stars: 3}]);
});

test('insert counts', async () => {
    const answer = await notes().insert([{slug: 'c', stars: 1}, {slug: 'd', stars: 1}], {count: 'exact'});
    assert.deepEqual([answer.status, answer.count], [201, 2]);
    assert.equal((await notes().insert([], {count: 'exact'})).count, 0);
});

test('insert returns with embeds, in order', async () => {
    const rows = await data(client.from('note_words').insert([{note_id: 1, word: 'x'}, {note_id: 2, word: 'y'}])
        .select('word, notes(slug)').order('word', {ascending: false}), 201);
    assert.deepEqual(rows, [{word: 'y', notes: {slug: 'b'}}, {word: 'x', notes: {slug: 'a'}}]);
});

test('upsert: new rows are made, others are changed', async () => {
    const changed = await notes().upsert({id: 1, slug: 'a', body: 'uno', stars: 1}).select('body');
    assert.deepEqual([changed.status, changed.data], [200, [{body: 'uno'}]]);
    const mixed = await notes().upsert([{id: 2, slug: 'b', stars: 1}, {id: 9, slug: 'z', stars: 1}], {count: 'exact'}).select('id');
    assert.deepEqual([mixed.status, mixed.count, ids(mixed.data)], [201, 2, [2, 9]]);
});

test('upsert on another unique column, and ignoring what is there', async () => {
    const merged = await data(notes().upsert({slug: 'a', body: 'eins'}, {onConflict: 'slug'}).select('id,body').single());
    assert.deepEqual(merged, {id: 1, body: 'eins'});
    const ignored = await data(notes().upsert([{slug: 'a', body: 'no'}, {slug: 'q', body: 'yes'}], {onConflict: 'slug', ignoreDuplicates: true})
        .select('slug,body'), 201);
    assert.deepEqual(ignored, [{slug: 'q', body: 'yes'}]);
    const defaults = await data(notes().upsert([{slug: 'a', stars: 4}, {slug: 'r', body: 'new'}], {onConflict: 'slug', defaultToNull: false})
        .select('slug,body,stars').order('slug'), 201);
    assert.deepEqual(defaults, [{slug: 'a', body: 'empty', stars: 4}, {slug: 'r', body: 'new', stars: 3}]);
});

test('update', async () => {
    assert.equal(await data(notes().update({body: 'new'}).eq('id', 1), 204), null);
    const rows = await data(notes().update({stars: 1}).in('slug', ['a', 'b']).select('slug,body,stars').order('slug'));
    assert.deepEqual(rows, [{slug: 'a', body: 'new', stars: 1}, {slug: 'b', body: 'two', stars: 1}]);
    const counted = await notes().update({stars: 2}, {count: 'exact'}).gte('id', 1);
    assert.deepEqual([counted.status, counted.count], [204, 2]);
    assert.deepEqual(await data(notes().update({stars: 2}).eq('id', -1).select()), []);
    const json = await data(client.from('products').update({attributes: {colour: 'red', nested: [1, {a: null}]}}).eq('id', 991)
        .select('attributes->nested->1').rollback().single());
    assert.deepEqual(json, {nested: {a: null}});
});

test('delete', async () => {
    const answer = await notes().delete({count: 'exact'}).eq('id', 1);
    assert.deepEqual([answer.status, answer.count, answer.data], [204, 1, null]);
    assert.deepEqual(await data(notes().delete().eq('id', 2).select('slug')), [{slug: 'b'}]);
    assert.deepEqual(await slugs(''), []);
});

test('single and maybeSingle of writes', async () => {
    assert.equal((await data(notes().update({stars: 1}).eq('id', 1).select('id').single())).id, 1);
    await refusal(notes().update({stars: 9}).gte('id', 1).select().single(), 406, 'PGRST116');
    assert.deepEqual((await data(notes().select('stars').order('id'))).map((row) => row.stars), [1, 5]);
    assert.equal(await data(notes().update({stars: 1}).eq('id', -1).select().maybeSingle()), null);
    assert.equal((await data(notes().insert({slug: 'm'}).select('slug').maybeSingle(), 201)).slug, 'm');
});

test('maxAffected', async () => {
    const error = await refusal(notes().delete().gte('id', 1).maxAffected(1), 400, 'PGRST124');
    assert.equal(error.details, 'The query affects 2 rows');
    assert.deepEqual(await slugs(''), ['a', 'b']);
    await data(notes().update({stars: 1}).gte('id', 1).maxAffected(2), 204);
});

test('rollback', async () => {
    const row = await data(notes().insert({slug: 'ghost'}).select('slug').rollback().single(), 201);
    assert.equal(row.slug, 'ghost');
    assert.deepEqual(await slugs('ghost'), []);
});

test('csv of what a write made', async () => {
    const text = await data(notes().insert([{slug: 'c', stars: 1}, {slug: 'd', stars: 2}]).select('slug,stars').csv(), 201);
    assert.deepEqual(text.split('\n').slice(0, 3), ['slug,stars', 'c,1', 'd,2']);
});

test('writes in another schema', async () => {
    const shelves = () => client.schema('warehouse').from('shelves');
    const made = recording();
    await data(made.client.schema('warehouse').from('shelves').upsert({id: 3, label: 'middle'}), 201);
    assert.equal(made.seen[0].init.headers['content-profile'], 'warehouse');
    assert.deepEqual(await data(shelves().delete().eq('id', 3).select('label').single()), {label: 'middle'});
});
