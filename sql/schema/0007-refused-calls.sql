-- Refused calls that wrote nothing else, for the history of the profile that they were about; and whose call
-- a cancellation was.

-- The same call of the same caller about the same profile, refused for the same reason, is one row that
-- counts. Of one function and reason only the newest callers are kept, so that strangers fill nothing. No
-- foreign key: the profile's row would be locked by each.
create table refused_call (
    iccid          text        not null,
    function       text        not null,             -- the standard's name
    refusal        text        not null,             -- by name
    caller         text        not null,             -- 'es9+', else as in the audit trail
    eid            text        not null default '',  -- empty: none was told
    transaction_id bytea,                            -- of the newest, as all that follows
    tac            text,
    imei           text,
    peer           text,
    why            text,
    times          bigint      not null default 1,
    first_at       timestamptz not null default now(),
    last_at        timestamptz not null default now(),
    primary key (iccid, function, refusal, caller, eid)
);
create index refused_call_age on refused_call (last_at);

-- So far a session told of the profile whose order it was refused.
insert into refused_call (iccid, function, refusal, caller, eid, transaction_id, tac, imei, peer, why, times,
                          first_at, last_at)
select about, 'AuthenticateClient', refusal, 'es9+', eid, transaction_id, tac, imei, peer, refusal_why, times,
       first_at, created_at
  from (select s.*, row_number() over (partition by about, refusal order by created_at desc) as place
          from (select r.*, row_number() over whom as nth, count(*) over whole as times,
                       min(created_at) over whole as first_at
                  from rsp_session r
                 where about is not null and refusal is not null
                window whole as (partition by about, refusal, eid),
                       whom as (whole order by created_at desc)) s
         where nth = 1) newest
 where place <= 16;
alter table rsp_session drop column about;

-- Who cancelled an order, as placed_by and confirmed_by say it.
alter table download_order add column cancelled_by text;
