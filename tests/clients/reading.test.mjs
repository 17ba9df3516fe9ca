// select() and its modifiers.
import assert from 'node:assert/strict';
import {test} from 'node:test';
import {client, data, ids, recording} from './client.mjs';

test('select all columns, and some', async () => {
    const all = await data(client.from('categories').select());
    assert.equal(all.length, 50);
    assert.deepEqual(Object.keys(all[0]).sort(), ['id', 'name', 'parent_id', 'slug']);
    const [some] = await data(client.from('products').select('title:name, price::text, width:attributes->size->width_mm').eq('id', 7));
    assert.deepEqual(Object.keys(some), ['title', 'price', 'width']);
    assert.equal(typeof some.price, 'string');
    assert.equal(typeof some.width, 'number');
});

test('embeds: to one, to many, many to many, aliased, nested, spread', async () => {
    const one = await data(client.from('products').select('id, category:categories(name)').eq('id', 7).single());
    assert.equal(typeof one.category.name, 'string');
    const many = await data(client.from('categories').select('id, products(id, order_items(quantity))').eq('id', 1).single());
    assert.equal(many.products.length, 20);
    assert.ok(Array.isArray(many.products[0].order_items));
    const across = await data(client.from('orders').select('id, products(id)').eq('id', 1).single());
    assert.ok(across.products.length > 0);
    const spread = await data(client.from('products').select('id, ...categories(category:name)').eq('id', 7).single());
    assert.deepEqual(Object.keys(spread), ['id', 'category']);
    const inner = await data(client.from('categories').select('id, products!inner(id)').eq('products.id', 7));
    assert.equal(inner.length, 1);
});

test('aggregates', async () => {
    const {count, dearest} = await data(client.from('products').select('count(), dearest:price.max()').single());
    assert.equal(count, 1000);
    assert.ok(dearest > 400);
    const groups = await data(client.from('products').select('active, stock.sum()').order('active'));
    assert.deepEqual(groups.map((group) => group.active), [false, true]);
});

test('count: exact, planned, estimated, and without rows', async () => {
    const exact = await client.from('products').select('id', {count: 'exact'}).range(10, 19);
    assert.deepEqual([exact.status, exact.count, exact.data.length], [206, 1000, 10]);
    for (const count of ['planned', 'estimated']) {
        const answer = await client.from('products').select('id', {count}).limit(5);
        assert.equal(answer.error, null);
        assert.ok(answer.count > 500, `${count}: ${answer.count}`);
    }
    const head = await client.from('products').select('*', {count: 'exact', head: true}).eq('active', false);
    assert.deepEqual([head.data, head.count], [null, 20]);
});

test('order, limit, range', async () => {
    const dear = await data(client.from('products').select('id,price').order('price', {ascending: false}).order('id').limit(5));
    assert.deepEqual(dear.map((row) => row.price), dear.map((row) => row.price).toSorted((a, b) => b - a));
    const page = await data(client.from('products').select('id').order('id').range(3, 5));
    assert.deepEqual(ids(page), [4, 5, 6]);
    const nulls = await data(client.from('categories').select('parent_id').order('parent_id', {nullsFirst: true}).limit(1));
    assert.equal(nulls[0].parent_id, null);
    const last = await data(client.from('categories').select('parent_id').order('parent_id', {ascending: false, nullsFirst: false}).limit(1));
    assert.notEqual(last[0].parent_id, null);
});

test('order, limit and range of what is embedded', async () => {
    const {products} = await data(client.from('categories').select('id,products(id)').eq('id', 1)
        .order('id', {referencedTable: 'products', ascending: false}).limit(2, {referencedTable: 'products'}).single());
    assert.deepEqual(ids(products), [951, 901]);
    const ranged = await data(client.from('categories').select('id,products(id)').eq('id', 1)
        .order('id', {referencedTable: 'products'}).range(1, 2, {referencedTable: 'products'}).single());
    assert.deepEqual(ids(ranged.products), [51, 101]);
    const related = await data(client.from('products').select('id,categories(name)').order('categories(name)').order('id').limit(3));
    assert.equal(related[0].categories.name, related[1].categories.name);
});

test('single and maybeSingle', async () => {
    assert.equal((await data(client.from('products').select('id').eq('id', 7).single())).id, 7);
    assert.equal((await data(client.from('products').select('id').eq('id', 7).maybeSingle())).id, 7);
    assert.equal(await data(client.from('products').select('id').eq('id', -1).maybeSingle()), null);
});

test('csv', async () => {
    const text = await data(client.from('products').select('id,name').in('id', [1, 2]).order('id').csv());
    const lines = text.split('\n');
    assert.equal(lines[0], 'id,name');
    assert.match(lines[2], /^2,/);
});

test('stripNulls, for many and for one', async () => {
    const rows = await data(client.from('bookings').select('id,note').lte('id', 2).order('id').stripNulls());
    assert.deepEqual(rows, [{id: 1, note: 'late'}, {id: 2}]);
    assert.deepEqual(await data(client.from('bookings').select('id,note').eq('id', 2).stripNulls().single()), {id: 2});
});

test('explain', async () => {
    const text = await data(client.from('products').select('id').eq('id', 7).explain());
    assert.match(text, /cost=/);
    const [plan] = await data(client.from('products').select('id').explain({format: 'json', analyze: true, verbose: true}));
    assert.ok(plan.Plan['Actual Rows'] !== undefined, JSON.stringify(plan).slice(0, 200));
});

test('schema() and headers', async () => {
    assert.deepEqual(await data(client.schema('warehouse').from('shelves').select().order('id')),
        [{id: 1, label: 'top'}, {id: 2, label: 'bottom'}]);
    const warehouse = recording({schema: 'warehouse'});
    assert.equal(await data(warehouse.client.rpc('shelf_count')), 2);
    assert.equal(warehouse.seen[0].headers.get('content-profile'), 'warehouse');
    const answered = recording({headers: {'X-Request-Id': 'from-the-client'}});
    await data(answered.client.from('products').select('id').limit(1).setHeader('Accept', 'application/json'));
    assert.equal(answered.seen[0].headers.get('x-request-id'), 'from-the-client');
});

test('getOpenApiSpec', async () => {
    const spec = await data(client.getOpenApiSpec());
    assert.ok(spec.paths['/products'].get);
    assert.ok(spec.definitions.products.properties.price);
});
