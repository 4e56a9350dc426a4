//! A server that quotes what it was sent, in every form and encoding.

use serde_json::json;
use truefoundry_secrets::testing::{FakeTrueFoundry, Fault};
use truefoundry_secrets::{
    Client, Error, ListSecretGroups, NewSecretGroup, Result, RetryPolicy, SecretUpdate,
};

use crate::SETTLE;
use crate::secrets::{self, CUTS, Disguise, ENCODINGS, Needles, VALUES};
use crate::walk::Walk;

/// A response that quotes.
type Shape = fn(u16, &str) -> Fault;

/// Statuses that lead to each way of reading a response.
const STATUSES: [u16; 13] = [400, 401, 403, 404, 408, 409, 418, 422, 424, 429, 500, 503, 300];

const SHAPES: [(&str, Shape); 24] = [
    ("message", |status, echo| {
        Fault::status(status).message(&format!("Value {echo} is not valid"))
    }),
    ("quoted in a message", |status, echo| {
        Fault::status(status).message(&format!("The value '{echo}' is too short."))
    }),
    ("list of messages", |status, echo| {
        Fault::status(status)
            .json(json!({"message": ["name is bad", format!("got {echo}, sorry")]}))
    }),
    ("detail", |status, echo| {
        Fault::status(status).json(json!({"detail": [
            {"loc": ["body", "secrets", 0, "value"], "msg": format!("bad: {echo}"), "input": echo}
        ]}))
    }),
    ("place of a problem", |status, echo| {
        Fault::status(status)
            .json(json!({"errors": [{"path": ["secrets", echo], "message": "no"}]}))
    }),
    ("details", |status, echo| {
        Fault::status(status)
            .json(json!({"message": "Bad", "details": {"received": {"value": echo}}}))
    }),
    ("details as text", |status, echo| {
        Fault::status(status).json(json!({"message": "Bad", "details": format!("got={echo}")}))
    }),
    ("inner error", |status, echo| {
        Fault::status(status)
            .json(json!({"error": {"code": "X", "message": echo, "innererror": {"value": echo}}}))
    }),
    ("problems by field", |status, echo| {
        Fault::status(status).json(json!({"errors": {"value": [format!("{echo} is short")]}}))
    }),
    ("name of a field", |status, echo| {
        let mut fields = serde_json::Map::new();
        fields.insert(echo.to_owned(), json!(["is not known"]));
        Fault::status(status).json(json!({"errors": fields}))
    }),
    ("constraints", |status, echo| {
        Fault::status(status).json(json!({"message": [
            {"property": "value", "constraints": {"matches": format!("{echo} must match")}}
        ]}))
    }),
    ("code", |status, echo| Fault::status(status).json(json!({"message": "Bad", "code": echo}))),
    ("unknown form", |status, echo| Fault::status(status).json(json!({"odd": {"a": [[echo]]}}))),
    ("JSON text", |status, echo| Fault::status(status).json(json!(echo))),
    ("JSON in a message", |status, echo| {
        let inner = json!({"value": echo}).to_string();
        Fault::status(status).message(&format!("upstream said {inner}"))
    }),
    ("JSON that was cut off", |status, echo| {
        let body = format!("{{\"message\":\"cannot store {}", secrets::json(echo));
        Fault::status(status).body("application/json", body)
    }),
    ("page", |status, echo| {
        let page = format!("<html><title>{status}</title><body><pre>{echo}</pre></body></html>");
        Fault::status(status).body("text/html", page)
    }),
    ("attribute of a page", |status, echo| {
        let page = format!("<!DOCTYPE html><input value=\"{echo}\"><p>Denied: {echo}</p>");
        Fault::status(status).body("text/html; charset=utf-8", page)
    }),
    ("text", |status, echo| {
        Fault::status(status).body("text/plain", format!("upstream: {echo}\nbye"))
    }),
    ("end of a message that is cut", |status, echo| {
        let filler = "a b c d ".repeat(2044 / 8);
        Fault::status(status).message(&format!("{filler}{echo}"))
    }),
    ("name of a deleted secret", |status, echo| {
        Fault::status(status).message(&format!("Secret '{echo}' is already in a deleted state"))
    }),
    ("name of a key", |status, echo| {
        Fault::status(status).message(&format!("Key '{echo}' does not support underscores (_)"))
    }),
    ("name that is taken", |status, echo| {
        Fault::status(status)
            .message(&format!("A secret group with the name \"{echo}\" already exists"))
    }),
    ("headers", |status, echo| {
        Fault::status(status)
            .header("x-request-id", echo)
            .header("retry-after", echo)
            .header("x-echo", echo)
    }),
];

/// Responses that are not read as a failure's text.
const OTHERS: [(&str, Shape); 7] = [
    ("redirect's path", |_, echo| {
        Fault::status(302).header("location", &format!("https://else.example/login/{echo}/x"))
    }),
    ("redirect's query", |_, echo| {
        let place = format!("/login?value={echo}#{echo}");
        Fault::status(307).header("location", &place).message(echo)
    }),
    ("redirect's host", |_, echo| {
        Fault::status(301).header("location", &format!("//{echo}.example/x"))
    }),
    ("success of the wrong type", |_, echo| Fault::status(200).json(json!({"data": echo}))),
    ("list in place of an object", |_, echo| Fault::status(200).json(json!({"data": [echo]}))),
    ("number in place of a name", |_, echo| {
        Fault::status(201).json(json!({"data": {"id": {"value": echo}, "fqn": 7, "name": echo}}))
    }),
    ("page in place of a response", |_, echo| {
        Fault::status(200).body("text/html", format!("<html><p>{echo}"))
    }),
];

fn shapes() -> impl Iterator<Item = &'static (&'static str, Shape)> {
    SHAPES.iter().chain(&OTHERS)
}

async fn start(walk: &mut Walk) -> (FakeTrueFoundry, Client) {
    let fake = FakeTrueFoundry::start().await.with_group("app", [("K", "old")]);
    let fake = fake.with_recording_limit(0);
    let client = fake
        .client_builder()
        .retry(RetryPolicy::none())
        .unconfirmed_write_timeout(SETTLE)
        .build()
        .unwrap();
    walk.uses_key(fake.api_key());
    (fake, client)
}

pub(crate) async fn values(walk: &mut Walk) {
    let (fake, client) = start(walk).await;
    let mut turn = Turn::default();
    for (at, value) in VALUES.into_iter().enumerate() {
        let needles = Needles::of([value, fake.api_key()]);
        for (shape_name, shape) in shapes() {
            for _ in 0..PER_SHAPE {
                let ((encoding_name, encode), (cut_name, cut), status) = turn.next();
                let what = format!(
                    "the {shape_name} of a {status} with {value:?} as {encoding_name}, {cut_name}"
                );
                fake.inject(shape(status, &cut(&encode(value))));
                let error = write(&client, at + usize::from(status)).await.unwrap_err();
                walk.error_of(&needles, &what, &error);
                assert_eq!(fake.pending_faults(), 0, "{what}");
            }
        }
        walk.look_at_logs(value);
    }
}

/// How many of the encodings each value takes in each shape: over all the values each shape meets each
/// encoding three times, and `redact`'s own tests try what is in between.
const PER_SHAPE: usize = 3;

/// Goes through encodings, cuts and statuses in all combinations: their numbers, and the number of
/// encodings per shape, have no common divisors.
#[derive(Default)]
struct Turn(usize);

impl Turn {
    fn next(&mut self) -> (Disguise, Disguise, u16) {
        let at = self.0;
        self.0 += 1;
        let (encodings, cuts) = (ENCODINGS.len(), CUTS.len());
        (ENCODINGS[at % encodings], CUTS[at % cuts], STATUSES[at % STATUSES.len()])
    }
}

/// All values are sent, so that the one that is echoed is found among others.
async fn write(client: &Client, turn: usize) -> Result<()> {
    let keys = (0..).map(|n| format!("K{n}"));
    if turn.is_multiple_of(2) {
        let new = NewSecretGroup::in_integration("new", "store");
        let new = keys.zip(VALUES).fold(new, |new, (key, value)| new.secret(key, value));
        return client.secret_groups().create(new).await.map(drop);
    }
    let set = keys.zip(VALUES).map(|(key, value)| SecretUpdate::set(key, value));
    let all: Vec<_> = set.chain([SecretUpdate::keep("OLD")]).collect();
    client.secret_groups().replace_secrets("g-1", &all).await.map(drop)
}

/// The key is echoed to calls that send no value, too.
pub(crate) async fn the_key(walk: &mut Walk) {
    let (fake, client) = start(walk).await;
    let mut turn = Turn::default();
    let key = fake.api_key();
    let needles = Needles::of([key]);
    for (shape_name, shape) in shapes() {
        for _ in ENCODINGS {
            let ((encoding_name, encode), (cut_name, cut), status) = turn.next();
            let echo = cut(&encode(&format!("Bearer {key}")));
            let what = format!(
                "the {shape_name} of a {status} with the key as {encoding_name}, {cut_name}"
            );
            fake.inject(shape(status, &echo));
            let groups = client.secret_groups();
            let result = match status % 3 {
                0 => groups.list(&ListSecretGroups::new()).await.map(drop),
                1 => groups.get("g-1").await.map(drop),
                _ => client.secrets().delete("s-1").await.map(drop),
            };
            match result {
                Err(error) => walk.error_of(&needles, &what, &error),
                // The confirmation of a delete may be any JSON.
                Ok(()) => assert_eq!(status % 3, 2, "{what}"),
            }
            fake.clear_faults();
        }
    }
}

/// Edits and `ensure` send their values in later requests, with reads in between.
pub(crate) async fn writes_in_several_steps(walk: &mut Walk) {
    let (fake, client) = start(walk).await;
    let mut turn = Turn::default();
    let id = fake.group_id("app").unwrap();
    for (at, (shape_name, shape)) in shapes().enumerate() {
        let value = VALUES[at % VALUES.len()];
        for write in ["secret_groups.update", "secret_groups.create"] {
            let ((encoding_name, encode), (cut_name, cut), status) = turn.next();
            let what =
                format!("the {shape_name} of a {status} on {write} as {encoding_name}, {cut_name}");
            fake.inject(shape(status, &cut(&encode(value))).on(write).forever());
            let result: Result<(), Error> = if write == "secret_groups.update" {
                client.secret_groups().edit(&id).set("K", value).apply().await.map(drop)
            } else {
                let new = NewSecretGroup::in_integration("other", "store").secret("K", value);
                client.secret_groups().ensure(new).await.map(drop)
            };
            fake.clear_faults();
            walk.error_of(&Needles::of([value, fake.api_key()]), &what, &result.unwrap_err());
        }
    }
}
