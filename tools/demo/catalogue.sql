-- Every value follows from the row's number by modular arithmetic with primes, so the shop is the same each time.
insert into shop.categories (id, name, slug, parent_id)
select i, name, lower(replace(name, ' ', '-')), case when i > 10 then (i - 1) % 10 + 1 end
from (
    select i, case when i <= 10 then area else kind || ' ' || area end as name
    from generate_series(1, 50) as i,
         lateral (select (array['Kitchen', 'Garden', 'Office', 'Workshop', 'Bathroom', 'Bedroom', 'Travel', 'Sports', 'Music',
                                'Games'])[(i - 1) % 10 + 1] as area,
                         (array['', 'Small', 'Classic', 'Outdoor', 'Professional'])[(i - 1) / 10 + 1] as kind) as words
) as named;

insert into shop.products (id, category_id, name, description, price, cost, stock, tags, attributes, active, created_at, updated_at)
select i,
       (i * 7 - 7) % 50 + 1,
       adjective || ' ' || material || ' ' || noun || ' ' || i,
       noun || ' made of ' || lower(material) || ', ' || lower(adjective) || '. Number ' || i || ' of the demo shop.',
       round(cents / 100.0, 2),
       round(cents * (40 + i * 13 % 40) / 10000.0, 2),
       i * 31 % 500,
       array[lower(material), (array['new', 'sale', 'eco', 'gift', 'premium'])[i * 3 % 5 + 1]]
           || case when i % 4 = 0 then array['handmade'] else '{}' end,
       jsonb_build_object('colour', (array['red', 'green', 'blue', 'black', 'white', 'natural'])[i * 5 % 6 + 1],
                          'weight_g', 50 + i * 37 % 5000,
                          'size', jsonb_build_object('width_mm', 10 + i * 11 % 900, 'height_mm', 10 + i * 17 % 700)),
       i % 50 <> 0,
       timestamptz '2024-01-01' + i * 601 % 63000000 * interval '1 second',
       timestamptz '2026-01-01' + i * 373 % 15000000 * interval '1 second'
from (
    select i,
           199 + i * 7919 % 49800 as cents,
           (array['Sturdy', 'Light', 'Compact', 'Elegant', 'Simple', 'Modern', 'Rustic', 'Quiet'])[i * 3 % 8 + 1] as adjective,
           (array['Oak', 'Steel', 'Cotton', 'Glass', 'Bamboo', 'Leather', 'Wool'])[i * 5 % 7 + 1] as material,
           (array['Chair', 'Lamp', 'Bowl', 'Shelf', 'Bag', 'Clock', 'Table', 'Mug', 'Basket', 'Stool', 'Tray'])[i % 11 + 1] as noun
    from generate_series(1, :products::bigint) as i
) as words;

insert into shop.customers (id, email, name, country, newsletter, born_on, created_at)
select i,
       lower(given || '.' || family) || i || '@example.com',
       given || ' ' || family,
       (array['DE', 'FR', 'IT', 'ES', 'NL', 'SE', 'PL', 'AT', 'CH', 'GB', 'US', 'JP'])[i * 7 % 12 + 1],
       i % 3 = 0,
       case when i % 10 <> 0 then date '1950-01-01' + (i * 7919 % 20000)::integer end,
       timestamptz '2023-01-01' + i * 7919 % 90000000 * interval '1 second'
from (
    select i,
           (array['Ada', 'Ben', 'Clara', 'David', 'Emma', 'Felix', 'Greta', 'Hugo', 'Ida', 'Jonas', 'Kaja', 'Linus', 'Mia'])
               [i * 5 % 13 + 1] as given,
           (array['Ahlberg', 'Bauer', 'Costa', 'Dubois', 'Evans', 'Fischer', 'Garcia', 'Haas', 'Ito', 'Jansen', 'Kowalski'])
               [i * 3 % 11 + 1] as family
    from generate_series(1, :products::bigint / 10) as i
) as words;
