-- Two orders per product, three items each; a tenth of all products has favourites.
insert into shop.orders (id, reference, customer_id, status, note, placed_at, shipped_at)
select i, md5('order ' || i)::uuid, i * 7919 % (:products::bigint / 10) + 1, status,
       case when i % 20 = 0 then 'Please leave it with the neighbours.' end,
       placed_at, case when status in ('shipped', 'delivered') then placed_at + (i % 96) * interval '1 hour' end
from (
    select i,
           (array['pending', 'paid', 'shipped', 'delivered', 'delivered', 'delivered', 'delivered', 'cancelled'])
               [i * 3 % 8 + 1]::shop.order_status as status,
           timestamptz '2025-01-01' + i * 263 % 52000000 * interval '1 second' as placed_at
    from generate_series(1, :products::bigint * 2) as i
) as made;

insert into shop.order_items (order_id, product_id, quantity, unit_price)
select i, product_id, 1 + (i + n) % 4, round((199 + product_id * 7919 % 49800) / 100.0, 2)
from generate_series(1, :products::bigint * 2) as i,
     generate_series(0, 2) as n,
     lateral (select (i * 104729 + n * (:products::bigint / 3)) % :products::bigint + 1 as product_id) as chosen;

insert into shop.favourites (customer_id, product_id, added_at)
select i * 7919 % (:products::bigint / 10) + 1, i, timestamptz '2025-06-01' + i * 97 % 30000000 * interval '1 second'
from generate_series(1, :products::bigint, 2) as i;
