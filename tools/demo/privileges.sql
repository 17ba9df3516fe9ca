-- Everybody may look; the catalogue is tended by its owner, except for products, which the demo lets everybody change.
grant usage on schema shop to shop_anonymous, shop_api;
grant select on all tables in schema shop to shop_anonymous;
grant insert, update, delete on shop.products, shop.orders, shop.order_items, shop.favourites to shop_anonymous;
grant insert, update on shop.customers to shop_anonymous;
