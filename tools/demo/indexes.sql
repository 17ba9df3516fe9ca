alter table shop.categories add primary key (id), add unique (slug);
alter table shop.products add primary key (id);
alter table shop.customers add primary key (id), add unique (email);
alter table shop.orders add primary key (id), add unique (reference);
alter table shop.order_items add primary key (order_id, product_id);
alter table shop.favourites add primary key (customer_id, product_id);

alter table shop.categories add foreign key (parent_id) references shop.categories;
alter table shop.products add foreign key (category_id) references shop.categories;
alter table shop.orders add foreign key (customer_id) references shop.customers;
alter table shop.order_items add foreign key (order_id) references shop.orders on delete cascade,
                             add foreign key (product_id) references shop.products;
alter table shop.favourites add foreign key (customer_id) references shop.customers on delete cascade,
                            add foreign key (product_id) references shop.products on delete cascade;

create index on shop.categories (parent_id);
create index on shop.products (category_id, price);
create index on shop.products (price);
create index on shop.products (created_at);
create index on shop.products using gin (tags);
create index on shop.orders (customer_id, placed_at);
create index on shop.orders (status, placed_at);
create index on shop.order_items (product_id);
create index on shop.favourites (product_id);

-- The rows brought their own numbers; the next ones come after them.
select setval(pg_get_serial_sequence('shop.categories', 'id'), (select max(id) from shop.categories)),
       setval(pg_get_serial_sequence('shop.products', 'id'), (select max(id) from shop.products)),
       setval(pg_get_serial_sequence('shop.customers', 'id'), (select max(id) from shop.customers)),
       setval(pg_get_serial_sequence('shop.orders', 'id'), (select max(id) from shop.orders))
\g /dev/null
