// Every filter of the client: the rows must be those that the same test picks in JavaScript.
import assert from 'node:assert/strict';
import {before, test} from 'node:test';
import {client, data, ids} from './client.mjs';

let products;
before(async () => {
    products = await data(client.from('products').select('id,category_id,name,price,stock,tags,attributes,active').order('id'));
    assert.equal(products.length, 1000);
});

const has = (part) => (row) => row.name.toLowerCase().includes(part.toLowerCase());
const cases = {
    eq: [(q) => q.eq('stock', 31), (row) => row.stock === 31],
    neq: [(q) => q.neq('active', true), (row) => !row.active],
    gt: [(q) => q.gt('price', 450), (row) => row.price > 450],
    gte: [(q) => q.gte('stock', 498), (row) => row.stock >= 498],
    lt: [(q) => q.lt('price', 10), (row) => row.price < 10],
    lte: [(q) => q.lte('stock', 1), (row) => row.stock <= 1],
    like: [(q) => q.like('name', '%Oak Lamp%'), (row) => row.name.includes('Oak Lamp')],
    'like with a star': [(q) => q.like('name', '*Glass Mug*'), (row) => row.name.includes('Glass Mug')],
    likeAllOf: [(q) => q.likeAllOf('name', ['%Oak%', '%Bowl%']), (row) => row.name.includes('Oak') && row.name.includes('Bowl')],
    likeAnyOf: [(q) => q.likeAnyOf('name', ['Quiet Oak%', 'Quiet Wool%']), (row) => /^Quiet (Oak|Wool)/.test(row.name)],
    ilike: [(q) => q.ilike('name', '%oak lamp%'), has('oak lamp')],
    ilikeAllOf: [(q) => q.ilikeAllOf('name', ['%OAK%', '%bowl%']), (row) => has('oak')(row) && has('bowl')(row)],
    ilikeAnyOf: [(q) => q.ilikeAnyOf('name', ['quiet oak%', 'QUIET wool%']), (row) => /^Quiet (Oak|Wool)/.test(row.name)],
    regexMatch: [(q) => q.regexMatch('name', '^Rustic .*Tray'), (row) => /^Rustic .*Tray/.test(row.name)],
    regexIMatch: [(q) => q.regexIMatch('name', '^rustic .*tray'), (row) => /^rustic .*tray/i.test(row.name)],
    'is null': [(q) => q.is('attributes->none', null), () => true],
    'is false': [(q) => q.is('active', false), (row) => !row.active],
    isDistinct: [(q) => q.isDistinct('active', true), (row) => !row.active],
    in: [(q) => q.in('id', [3, 5, 7]), (row) => [3, 5, 7].includes(row.id)],
    'in with reserved characters': [(q) => q.in('name', [products[0].name, 'a,b', '(x)']), (row) => row.id === 1],
    notIn: [(q) => q.notIn('category_id', [1, 2]).lt('id', 100), (row) => ![1, 2].includes(row.category_id) && row.id < 100],
    'contains an array': [(q) => q.contains('tags', ['oak', 'handmade']), (row) => ['oak', 'handmade'].every((t) => row.tags.includes(t))],
    'contains json': [(q) => q.contains('attributes', {colour: 'red'}), (row) => row.attributes.colour === 'red'],
    'containedBy an array': [(q) => q.containedBy('tags', ['oak', 'sale', 'handmade']),
                             (row) => row.tags.every((t) => ['oak', 'sale', 'handmade'].includes(t))],
    'overlaps arrays': [(q) => q.overlaps('tags', ['oak', 'wool']), (row) => row.tags.includes('oak') || row.tags.includes('wool')],
    textSearch: [(q) => q.textSearch('description', 'chair & oak'), (row) => /Oak Chair/.test(row.name)],
    'textSearch plain': [(q) => q.textSearch('description', 'oak chairs', {type: 'plain', config: 'english'}), (row) => /Oak Chair/.test(row.name)],
    'textSearch phrase': [(q) => q.textSearch('description', 'made of oak', {type: 'phrase', config: 'simple'}), (row) => / Oak /.test(row.name)],
    'textSearch websearch': [(q) => q.textSearch('description', 'oak or wool', {type: 'websearch', config: 'english'}), (row) => / (Oak|Wool) /.test(row.name)],
    match: [(q) => q.match({category_id: 8, active: true}), (row) => row.category_id === 8 && row.active],
    not: [(q) => q.not('stock', 'gte', 10), (row) => row.stock < 10],
    'not in': [(q) => q.not('id', 'in', '(1,2)').lte('id', 4), (row) => row.id === 3 || row.id === 4],
    or: [(q) => q.or('id.eq.1,stock.eq.499'), (row) => row.id === 1 || row.stock === 499],
    'or with and': [(q) => q.or('id.eq.1,and(stock.gt.490,price.lt.50)'), (row) => row.id === 1 || (row.stock > 490 && row.price < 50)],
    filter: [(q) => q.filter('attributes->>colour', 'eq', 'blue'), (row) => row.attributes.colour === 'blue'],
    'filter inside json': [(q) => q.gt('attributes->size->width_mm', 880), (row) => row.attributes.size.width_mm > 880],
};

for (const [name, [apply, keeps]] of Object.entries(cases)) {
    test(name, async () => {
        const found = await data(apply(client.from('products').select('id')).order('id'));
        assert.deepEqual(ids(found), ids(products.filter(keeps)));
        assert.ok(found.length > 0, 'the case shows nothing');
    });
}

const ranges = {
    rangeGt: [(q) => q.rangeGt('days', '[1,6)'), [4]],
    rangeGte: [(q) => q.rangeGte('days', '[5,8)'), [2, 4]],
    rangeLt: [(q) => q.rangeLt('days', '[7,9)'), [1, 3]],
    rangeLte: [(q) => q.rangeLte('days', '[1,7)'), [1, 3]],
    rangeAdjacent: [(q) => q.rangeAdjacent('days', '[9,20)'), [2, 4]],
    'overlaps a range': [(q) => q.overlaps('days', '[4,6)'), [1, 2, 3]],
    'contains a range': [(q) => q.contains('days', '[3,4)'), [1, 3]],
    'containedBy a range': [(q) => q.containedBy('days', '[1,9)'), [1, 2, 3]],
};

for (const [name, [apply, expected]] of Object.entries(ranges)) {
    test(name, async () => {
        assert.deepEqual(ids(await data(apply(client.from('bookings').select('id').lte('id', 4)).order('id'))), expected);
    });
}

test('filters on what is embedded', async () => {
    const rows = await data(client.from('categories').select('id,products(id,stock)').gt('products.stock', 400).lte('id', 3));
    assert.equal(rows.length, 3);
    for (const row of rows) assert.ok(row.products.every((product) => product.stock > 400));
    const inner = await data(client.from('products').select('id,categories!inner(slug)').eq('categories.slug', 'kitchen'));
    assert.deepEqual(ids(inner).sort((a, b) => a - b), ids(products.filter((row) => row.category_id === 1)));
    const either = await data(client.from('categories').select('id,products(id)').eq('id', 1)
        .or('id.eq.1,id.eq.51', {referencedTable: 'products'}));
    assert.deepEqual(ids(either[0].products), [1, 51]);
});
