-- shop_api logs in and owns nothing; shop_anonymous is what a request without a token may do. shop_api becomes it by SET ROLE and
-- inherits nothing, so that a mistake in the server cannot use more than the role of the request.
do $$
begin
    if to_regrole('shop_anonymous') is null then
        create role shop_anonymous nologin;
    end if;
    if to_regrole('shop_api') is null then
        create role shop_api login noinherit;
    end if;
end
$$;
grant shop_anonymous to shop_api;
