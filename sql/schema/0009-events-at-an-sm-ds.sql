-- What is told of one event at an SM-DS goes out in one order, whichever orders register and delete it; what was
-- told long ago is forgotten.

-- Under which key a subscriber is told an event, one after the other: of a profile, or (ES12) of what the event
-- is to the SM-DS: an EID and a MatchingID.
create function es12_key(eid text, matching_id text) returns text
    language sql immutable parallel safe as $$
    select eid || '/' || matching_id
$$;

create function delivery_key_of(kind text, order_key text, data jsonb) returns text
    language sql immutable parallel safe as $$
    select case kind when 'es12' then coalesce(es12_key(data ->> 'eid', data ->> 'matchingId'), order_key)
                     else order_key end
$$;

-- … in the order of these. Who uses a MatchingID again does so after the order before has ended, so the
-- numbers of the outbox tell what came first also between profiles.
create function delivery_seq_of(kind text, outbox_id bigint, seq bigint) returns bigint
    language sql immutable parallel safe as $$
    select case kind when 'es12' then outbox_id else seq end
$$;

-- An event es12.delete of a reservation: its RegisterEvent may be under way still. Whoever waits for the answer
-- may die, so the deletion itself waits until it cannot come any more.
create function es12_event(smds text, iccid text, eid text, matching_id text, order_id bigint,
                           registering_at timestamptz) returns jsonb
    language sql stable parallel safe as $$
    select jsonb_strip_nulls(es12_event(smds, iccid, eid, matching_id, order_id)
                             || jsonb_build_object('notBefore', utc(registering_at + interval '30 seconds')))
$$;

-- Whether an open order has this event at its SM-DS, or is about to.
create function es12_wanted(data jsonb) returns boolean
    language sql stable parallel safe as $$
    select exists (select
                     from download_order o
                     join profile p on p.iccid = o.iccid and p.order_id = o.id
                    where o.matching_id = data ->> 'matchingId' and o.matching_id <> '' and o.pending
                      and not o.frozen and o.smds = data ->> 'smds'
                      and coalesce(o.eid, o.registering_eid) = data ->> 'eid' and p.state <> 'error')
$$;

create or replace function outbox_deliver() returns trigger
    language plpgsql as $$
begin
    if not exists (select from fresh) then
        return null;
    end if;
    insert into subscriber (kind, name, address, types)
    select distinct 'es12', f.data ->> 'smds', f.data ->> 'smds', array['es12.register', 'es12.delete']
      from fresh f
     where f.type in ('es12.register', 'es12.delete')
       and not exists (select from subscriber s where s.kind = 'es12' and s.name = f.data ->> 'smds')
        on conflict do nothing;
    with wanted as (
        select s.id, s.kind, f.id as outbox_id, f.order_key, f.seq, f.data
          from fresh f
         cross join lateral (select id, kind, types
                               from subscriber
                              where operator_id = f.operator_id and kind <> 'es12'
                             offset 0) s
         where f.type = any(s.types)
         union all
        select s.id, s.kind, f.id, f.order_key, f.seq, f.data
          from fresh f
         cross join lateral (select id, kind, types
                               from subscriber
                              where kind = 'es12' and name = f.data ->> 'smds'
                             offset 0) s
         where f.type = any(s.types)
    ), owed as (
        insert into delivery (subscriber_id, outbox_id, order_key, seq)
        select id, outbox_id, delivery_key_of(kind, order_key, data), delivery_seq_of(kind, outbox_id, seq)
          from wanted
    )
    insert into delivery_key (subscriber_id, order_key, bucket, pending, next_at)
    select id, key, hashtext(key) & 255, count(*), greatest(now(), min(not_before))
      from (select id, delivery_key_of(kind, order_key, data) as key,
                   (data ->> 'notBefore')::timestamptz as not_before
              from wanted) w
     group by id, key
     order by id, key
        on conflict (subscriber_id, order_key) do update
       set pending = delivery_key.pending + excluded.pending,
           next_at = case when delivery_key.pending = 0 then excluded.next_at
                          else delivery_key.next_at end;
    return null;
end $$;

-- What is owed to SM-DSs gets its new place.
update delivery v
   set order_key = delivery_key_of(s.kind, o.order_key, o.data),
       seq = delivery_seq_of(s.kind, o.id, o.seq)
  from subscriber s, outbox o
 where s.kind = 'es12' and v.subscriber_id = s.id and o.id = v.outbox_id;
delete from delivery_key k using subscriber s where s.kind = 'es12' and s.id = k.subscriber_id;
insert into delivery_key (subscriber_id, order_key, bucket, pending, next_at)
select v.subscriber_id, v.order_key, hashtext(v.order_key) & 255, count(*), now()
  from delivery v
  join subscriber s on s.id = v.subscriber_id
 where s.kind = 'es12' and v.state = 'waiting'
 group by v.subscriber_id, v.order_key;

-- Every instance that delivers holds, by the connection on which it listens, a shared advisory lock of this key.
-- PostgreSQL lets go of it with the connection: then nothing of that instance's is under way any more.
create function outbox_owner_key(owner uuid) returns bigint
    language sql immutable parallel safe as $$
    select hashtextextended(owner::text, 0)
$$;

-- For the sweep of what was told.
create index delivery_told on delivery (tried_at) where state = 'delivered';
