-- What /v2 adds: columns that are computed rather than stored.
create view shop.product_summaries as
select p.id, p.name, p.price, p.category_id, p.stock, p.tags, p.active,
       case when p.stock = 0 then 'sold out' when p.stock < 10 then 'few left' else 'in stock' end as availability,
       round(p.price * 1.19, 2) as price_with_vat
from shop.products as p;

create view shop.order_totals as
select o.id, o.customer_id, o.status, o.placed_at,
       (select coalesce(sum(i.quantity * i.unit_price), 0) from shop.order_items as i where i.order_id = o.id) as total
from shop.orders as o;
