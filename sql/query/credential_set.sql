-- Numbers of credential sets: each set keeps for ever the one it was given first.

-- name: credential_set_number(ci bytea[], auth bytea[], pb bytea[]) -> place bigint, id smallint     zero rows: none
-- The number of each set of the three arrays, by its place in them from 1. Sets that are new get the
-- next free numbers; one that another instance numbers at this very moment is left out: ask again.
with wanted as (
    select w.ci_pkid, w.auth_sha256, w.pb_sha256, w.place
      from unnest($1, $2, $3) with ordinality as w(ci_pkid, auth_sha256, pb_sha256, place)
), known as (
    select w.place, c.id
      from wanted w
      join credential_set c using (ci_pkid, auth_sha256, pb_sha256)
), highest as (
    select coalesce(max(c.id), 0) as id from credential_set c
), added as (
    insert into credential_set (id, ci_pkid, auth_sha256, pb_sha256)
    select highest.id + row_number() over (order by w.place), w.ci_pkid, w.auth_sha256, w.pb_sha256
      from wanted w, highest
     where not exists (select from known k where k.place = w.place)
        on conflict do nothing
 returning id, ci_pkid, auth_sha256, pb_sha256
)
select k.place, k.id from known k
 union all
select w.place, a.id from wanted w join added a using (ci_pkid, auth_sha256, pb_sha256);
