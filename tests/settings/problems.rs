//! All problems in one error, and when the list may be incomplete.

use std::cell::Cell;
use std::net::Ipv4Addr;

use serde::{Deserialize, Deserializer};
use truefoundry_secrets::SecretValue;

use crate::{map, problems};

#[derive(Debug, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Mode {
    Fast,
    Safe,
}

#[derive(Debug, Deserialize)]
#[allow(dead_code)]
struct Port(u16);

#[derive(Debug, Default, Deserialize)]
#[allow(dead_code)]
struct Settings {
    #[serde(alias = "password")]
    db_password: Option<String>,
    api_key: String,
    pool_size: u32,
    port: Option<Port>,
    mode: Option<Mode>,
    #[serde(default)]
    level: u8,
    #[serde(rename = "signing-key")]
    signing_key: String,
}

#[derive(Debug, Deserialize)]
#[allow(dead_code)]
struct Service {
    #[serde(alias = "password")]
    db_password: SecretValue,
    api_key: SecretValue,
    smtp: Option<SecretValue>,
    pool_size: u32,
    mode: Mode,
    port: Port,
    #[serde(default)]
    level: u8,
}

#[test]
fn three_missing_and_two_invalid_are_one_error() {
    let values = map([("MODE", "hunter2"), ("PORT", "hunter2"), ("UNUSED", "hunter2")]);
    let error = values.deserialize::<Service>().unwrap_err();
    assert_eq!(
        error.to_string(),
        "invalid settings (missing: db_password, api_key, pool_size; invalid: MODE (expected one of fast, \
         safe), PORT (expected u16))"
    );
    assert_eq!(
        error.hint(),
        "Add the missing keys to the group, and set the invalid ones to values that fit."
    );
    let values = map([
        ("PASSWORD", "x"),
        ("API-KEY", "x"),
        ("POOL_SIZE", "1"),
        ("MODE", "safe"),
        ("PORT", "80"),
    ]);
    let service: Service = values.deserialize().unwrap();
    assert!(service.smtp.is_none() && service.level == 0);
}

#[test]
fn optional_and_default_fields_are_missing_to_no_one_and_invalid_all_the_same() {
    let values = map([("LEVEL", "x"), ("MODE", ""), ("PORT", "")]);
    let (missing, invalid, incomplete) = problems(&values.deserialize::<Settings>().unwrap_err());
    assert_eq!(missing, ["api_key", "pool_size", "signing-key"]);
    let keys: Vec<_> = invalid.iter().map(|(key, _)| key.as_str()).collect();
    assert_eq!(keys, ["LEVEL", "MODE", "PORT"]);
    assert!(!incomplete);
}

thread_local! {
    static RUNS: Cell<u32> = const { Cell::new(0) };
}

fn counted<'de, D: Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    RUNS.set(RUNS.get() + 1);
    String::deserialize(deserializer)
}

#[derive(Debug, Deserialize)]
#[allow(dead_code)]
struct Counted {
    #[serde(deserialize_with = "counted")]
    first: String,
    a: u32,
    b: u32,
    c: u32,
    d: u32,
}

#[test]
fn there_is_at_most_one_run_per_field() {
    let values = map([("first", "x"), ("a", "x"), ("b", "x")]);
    let (missing, invalid, _) = problems(&values.deserialize::<Counted>().unwrap_err());
    assert_eq!((missing.len(), invalid.len()), (2, 2));
    assert_eq!(RUNS.take(), 5);
    map([("first", "x"), ("a", "1"), ("b", "1"), ("c", "1"), ("d", "1")])
        .deserialize::<Counted>()
        .unwrap();
    assert_eq!(RUNS.take(), 1);
}

#[derive(Debug, Deserialize)]
#[allow(dead_code)]
struct Refusing {
    address: Ipv4Addr,
    port: u16,
    gone: u16,
}

#[test]
fn a_type_that_refuses_its_stand_in_ends_the_list() {
    let error = map([("ADDRESS", "x"), ("PORT", "x")]).deserialize::<Refusing>().unwrap_err();
    let (missing, invalid, incomplete) = problems(&error);
    // The problems of the other values are still found; missing fields are not.
    assert!(missing.is_empty() && invalid.len() == 2 && incomplete, "{error}");
    assert!(error.to_string().ends_with(", and possibly more)"), "{error}");
}

#[derive(Debug, Deserialize)]
#[serde(try_from = "Raw")]
struct Range;

#[derive(Debug, Deserialize)]
struct Raw {
    low: u32,
    high: u32,
}

impl TryFrom<Raw> for Range {
    type Error = String;

    fn try_from(raw: Raw) -> Result<Self, String> {
        if raw.low < raw.high { Ok(Self) } else { Err(format!("{} {}", raw.low, raw.high)) }
    }
}

#[test]
fn what_the_type_as_a_whole_refuses_is_one_problem() {
    map([("LOW", "1"), ("HIGH", "2")]).deserialize::<Range>().unwrap();
    let error = map([("LOW", "70013"), ("HIGH", "1")]).deserialize::<Range>().unwrap_err();
    assert_eq!(
        error.to_string(),
        "invalid settings (invalid: Raw (expected values that fit together))"
    );
    // Here the placeholder values may be the problem.
    let error = map([("LOW", "x")]).deserialize::<Range>().unwrap_err();
    let (missing, invalid, incomplete) = problems(&error);
    assert!(missing == ["high"] && invalid[0].0 == "LOW" && incomplete, "{error}");
}

#[derive(Debug, Deserialize)]
#[allow(dead_code)]
enum Endless {
    More(Box<Endless>),
    Pair(Box<(Endless, Endless)>),
}

#[derive(Debug, Deserialize)]
#[allow(dead_code)]
struct Chain {
    next: Box<Chain>,
}

#[derive(Debug, Deserialize)]
#[allow(dead_code)]
struct Tree {
    left: Option<Box<Tree>>,
    children: Vec<Tree>,
}

#[derive(Debug, Deserialize)]
#[allow(dead_code)]
struct Recursive {
    tree: Tree,
    endless: Endless,
    chain: Chain,
}

#[test]
fn a_type_that_holds_itself_ends() {
    let error = map([]).deserialize::<Recursive>().unwrap_err();
    let (missing, _, incomplete) = problems(&error);
    assert_eq!(missing, ["tree", "endless"]);
    assert!(incomplete, "{error}");
    let deep = format!("{}{}", "{\"next\":".repeat(100_000), "}".repeat(100_000));
    let error = map([("TREE", "{}"), ("CHAIN", &deep), ("ENDLESS", &deep)]);
    let (_, invalid, _) = problems(&error.deserialize::<Recursive>().unwrap_err());
    assert_eq!(invalid.len(), 3);
}
