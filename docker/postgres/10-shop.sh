#!/bin/bash
# Run once by the image, when the database is empty: the demo shop, and a password for the role that millrace logs in as.
set -euo pipefail
psql -v ON_ERROR_STOP=1 -U "$POSTGRES_USER" -d "$POSTGRES_DB" -v products="${SHOP_PRODUCTS:-100000}" -f /demo/shop.sql
psql -v ON_ERROR_STOP=1 -U "$POSTGRES_USER" -d "$POSTGRES_DB" -v password="$SHOP_API_PASSWORD" <<'SQL'
alter role shop_api password :'password';
SQL
