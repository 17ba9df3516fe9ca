-- The demo shop: a database of real size, made by SQL alone and the same each time.
--   psql -d shop -v products=100000 -f tools/demo/shop.sql
-- 50 categories; per product 0.1 customers, 2 orders and 6 order items. Run as a superuser in an empty database.
\set ON_ERROR_STOP on
\if :{?products}
\else
  \set products 100000
\endif
set client_min_messages = warning;
set synchronous_commit = off;
set maintenance_work_mem = '256MB';
set timezone = 'UTC';

\echo '  roles and tables …'
\ir roles.sql
\ir tables.sql
\echo '  categories, products, customers …'
\ir catalogue.sql
\echo '  orders, order items, favourites …'
\ir orders.sql
\echo '  keys and indexes …'
\ir indexes.sql
\echo '  views, comments, privileges …'
\ir views.sql
\ir functions.sql
\ir comments.sql
\ir privileges.sql
\echo '  statistics …'
vacuum (analyze) shop.categories, shop.products, shop.customers, shop.orders, shop.order_items, shop.favourites;
comment on schema shop is 'The demo shop. ready';
