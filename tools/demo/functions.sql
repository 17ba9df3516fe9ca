-- What is no row of a table: a ranking to be filtered and embedded like one, a sum, and a change that has a name.
create function shop.bestsellers(category integer default null) returns setof shop.products
language sql stable as $$
    select p.* from shop.products as p
    join (select product_id, sum(quantity) as sold from shop.order_items group by product_id) as s on s.product_id = p.id
    where category is null or p.category_id = category
    order by s.sold desc, p.id
    limit 100
$$;

create function shop.stock_value(variadic categories integer[] default '{}') returns numeric
language sql stable as $$
    select coalesce(sum(price * stock), 0) from shop.products where categories = '{}' or category_id = any (categories)
$$;

create function shop.restock(product bigint, pieces integer) returns integer
language sql as $$
    update shop.products set stock = stock + pieces where id = product returning stock
$$;
