#![allow(clippy::unwrap_used)]

use proptest::prelude::*;

use super::{
    MARGIN, MAX_CODE, MAX_DETAILS, MAX_JUNK, MAX_MESSAGE, MAX_PROBLEM, MAX_PROBLEMS, ServerAnswer,
    parse,
};
use crate::redact::{Scrubber, WITHHELD};

fn json(body: &str) -> ServerAnswer {
    parse(400, Some("application/json; charset=utf-8"), body.as_bytes())
}

/// A body, and the message, code and problems in it.
type Shape = (&'static str, Option<&'static str>, Option<&'static str>, &'static [&'static str]);

#[test]
fn every_shape_gives_its_message_code_and_problems() {
    #[rustfmt::skip]
    let cases: &[Shape] = &[
        (r#"{"statusCode":409,"message":"m"}"#, Some("m"), None, &[]),
        (r#"{"statusCode":409,"message":"m","code":17}"#, Some("m"), Some("17"), &[]),
        (r#"{"statusCode":409,"message":" m ","code":"C"}"#, Some("m"), Some("C"), &[]),
        (r#"{"message":["a","b"],"error":"Unprocessable Entity"}"#, Some("a; b"), None, &["a", "b"]),
        (r#"{"message":[],"error":"Bad Request"}"#, Some("Bad Request"), None, &[]),
        (r#"{"message":"","error":"e"}"#, Some("e"), None, &[]),
        (r#"{"message":{"message":"inner","code":"C"}}"#, Some("inner"), Some("C"), &[]),
        (r#"{"error":"e"}"#, Some("e"), None, &[]),
        (r#"{"error":{"message":"m","code":"C"}}"#, Some("m"), Some("C"), &[]),
        (r#"{"error":"invalid_token","error_description":"expired"}"#, Some("expired"), None, &[]),
        (r#"{"detail":"d"}"#, Some("d"), None, &[]),
        (r#"{"detail":[{"loc":["body","secrets",0,"key"],"msg":"field required"}]}"#,
            Some("body.secrets.0.key: field required"), None, &["body.secrets.0.key: field required"]),
        (r#"{"errors":["a",{"path":"p","message":"b"},{"property":"q","constraints":{"x":"c"}}]}"#,
            Some("a; p: b; q: c"), None, &["a", "p: b", "q: c"]),
        (r#"{"message":"m","errors":["a"]}"#, Some("m"), None, &["a"]),
        (r#"{"errors":{"key":"is short","name":["is taken","is odd"]}}"#,
            Some("key: is short; name: is taken; name: is odd"), None,
            &["key: is short", "name: is taken", "name: is odd"]),
        (r#"["a","b"]"#, Some("a; b"), None, &["a", "b"]),
        (r#""bare""#, Some("bare"), None, &[]),
        ("null", None, None, &[]),
        ("{}", None, None, &[]),
        ("[]", None, None, &[]),
        ("", None, None, &[]),
        (" \r\n ", None, None, &[]),
        ("\u{feff}{\"message\":\"m\"}", Some("m"), None, &[]),
        ("503", Some("503"), None, &[]),
        ("upstream  connect\nerror", Some("upstream connect error"), None, &[]),
        (r#"{"statusCode":409,"message":"cut o"#, Some(r#"{"statusCode":409,"message":"cut o"#), None, &[]),
    ];
    for (body, message, code, problems) in cases {
        let answer = json(body);
        assert_eq!(answer.message.as_deref(), *message, "{body}");
        assert_eq!(answer.code.as_deref(), *code, "{body}");
        assert_eq!(answer.problems, *problems, "{body}");
        assert_eq!(answer.status, 400);
    }
}

#[test]
fn details_stay_compact_json_and_an_unknown_shape_becomes_details() {
    for (body, details) in [
        (r#"{"message":"m","details":{"a": [1, 2]}}"#, Some(r#"{"a":[1,2]}"#)),
        (r#"{"message":"m","details":"text"}"#, Some("text")),
        (r#"{"message":"m","details":null}"#, None),
        (r#"{"error":{"message":"m","innererror":{"code":"C"}}}"#, Some(r#"{"code":"C"}"#)),
        (r#"{"status": "failed"}"#, Some(r#"{"status":"failed"}"#)),
        ("{}", None),
    ] {
        assert_eq!(json(body).details.as_deref(), details, "{body}");
    }
}

#[test]
fn pages_are_reduced_to_what_they_say() {
    let nginx = "<html>\r\n<head><title>502 Bad Gateway</title><style>b{a:1}</style></head>\r\n<body>\
        <!-- <b>no</b> --><center><h1>502 Bad Gateway</h1></center><hr>nginx &amp; co<script>1<2</script></body></html>";
    let answer = parse(502, Some("text/html"), nginx.as_bytes());
    assert_eq!(answer.message.as_deref(), Some("502 Bad Gateway nginx & co"));
    let unlabelled = parse(502, None, nginx.as_bytes());
    assert_eq!(unlabelled.message, answer.message);
    let empty = parse(502, Some("text/html"), b"<html><body></body></html>");
    assert_eq!(empty.message, None);
    let long = parse(502, Some("text/html"), "<p>word </p>".repeat(5_000).as_bytes());
    assert_eq!(long.message.as_deref(), Some("word"));
}

#[test]
fn what_nobody_can_read_is_no_message() {
    let gzip = [0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3, 0xab, 0xff, 0xfe, 0x01];
    assert_eq!(parse(500, None, &gzip).message, None);
    let latin = parse(500, Some("text/plain"), b"caf\xe9 closed, come back later");
    assert_eq!(latin.message.as_deref(), Some("caf\u{fffd} closed, come back later"));
}

#[test]
fn everything_is_bounded() {
    let long = "é".repeat(10_000);
    let message = json(&format!(r#"{{"message":"{long}","details":"{long}","code":"{long}"}}"#));
    assert_bounded(&message);
    let mut clean = message.clone();
    clean.scrub(&Scrubber::new([]));
    assert!(clean.message.as_ref().unwrap().ends_with('…'));
    assert_bounded(&json(&format!(r#"{{"message":[{}"{long}"]}}"#, "\"a\",".repeat(100))));
    assert_bounded(&json(&"[".repeat(1 << 20)));
    assert_bounded(&json(&"{\"error\":".repeat(1 << 16)));
    assert_bounded(&json(&format!("\"{}\"", "x".repeat(1 << 24))));
    assert_bounded(&parse(500, Some("text/html"), "<".repeat(1 << 20).as_bytes()));
    assert_bounded(&parse(500, Some("text/html"), "<!--".repeat(1 << 18).as_bytes()));
}

#[test]
fn scrubbing_reaches_every_part() {
    let mut answer = json(
        r#"{"message":["no: hunter2-hunter2","fine"],"code":"hunter2-hunter2","details":{"v":"hunter2-hunter2"}}"#,
    );
    answer.scrub(&Scrubber::new(["hunter2-hunter2"]));
    assert_eq!(answer.message.as_deref(), Some("(message withheld); fine"));
    assert_eq!(answer.problems, [WITHHELD, "fine"]);
    assert_eq!(answer.code, None);
    assert_eq!(answer.details.as_deref(), Some(WITHHELD));
}

#[test]
fn a_page_that_swallowed_part_of_a_secret_as_a_tag_hides_the_rest() {
    for secret in
        ["abcdefg<b>hijklmn", "abcdefg<hijklmn", "abcd&lt;efg&amp;hij", "a b c d <e> f g h"]
    {
        let page = format!("<html><h1>bad value {secret} sent</h1></html>");
        let mut answer = parse(400, Some("text/html"), page.as_bytes());
        answer.scrub(&Scrubber::new([secret]));
        assert_eq!(answer.message.as_deref(), Some(WITHHELD), "{secret}");
    }
}

#[test]
fn what_is_cut_off_never_shows_the_beginning_of_a_secret() {
    for secret in ["hunter2!", "abcdefg", "пароль", "0123456789abcdef", "a\"b\\c<d&e"] {
        let scrubber = Scrubber::new([secret]);
        let head: String = secret.chars().take(4).collect();
        let quoted = serde_json::to_string(secret).unwrap();
        let quoted = quoted.trim_matches('"');
        for (limit, shape) in [
            (MAX_MESSAGE, r#"{"message":"@"}"#),
            (MAX_MESSAGE, r#"{"message":"@","errors":["@","@"]}"#),
            (MAX_PROBLEM, r#"{"message":["@","@"]}"#),
            (MAX_DETAILS, r#"{"message":"m","details":"@"}"#),
            (MAX_DETAILS, r#"{"odd":"@"}"#),
            (MAX_CODE, r#"{"message":"m","code":"@"}"#),
            (MAX_JUNK, "plain: @"),
            (MAX_JUNK, "<p>@</p>"),
        ] {
            let around = limit - 24..limit + 24;
            for filler in around.chain(limit + MARGIN - 24..limit + MARGIN + 24) {
                let body = shape.replace('@', &format!("{} {quoted}", "z".repeat(filler)));
                let mut answer = parse(400, None, body.as_bytes());
                answer.scrub(&scrubber);
                assert_bounded(&answer);
                let texts = [&answer.message, &answer.details, &answer.code];
                for text in texts.into_iter().flatten().chain(&answer.problems) {
                    assert!(!text.contains(&head), "{shape} {filler}: {text}");
                }
            }
        }
    }
}

#[test]
fn what_a_server_shortened_itself_stays_as_it_is() {
    for text in ["Please wait…", "…", "Secret db is currently being deleted…"] {
        let mut answer = json(&serde_json::json!({"message": text, "code": text}).to_string());
        answer.scrub(&Scrubber::new(["another value"]));
        assert_eq!(answer.message.as_deref(), Some(text));
        assert_eq!(answer.code.as_deref(), Some(text));
    }
    // However many they are: only what quotes a secret is withheld.
    let problem = "z".repeat(1000);
    let mut answer = json(&serde_json::json!({"message": vec![&problem; 40]}).to_string());
    answer.scrub(&Scrubber::new(["another value"]));
    assert_eq!(answer.problems.len(), MAX_PROBLEMS);
    assert!(answer.problems.iter().all(|it| it.len() == MAX_PROBLEM && it.starts_with("zzz")));
    assert_eq!(answer.message.unwrap().len(), MAX_MESSAGE);
}

#[test]
fn a_secret_that_was_taken_for_a_list_is_withheld_as_a_whole() {
    for list in [
        r#"["h","u","n","t","e","r","2","-","x"]"#,
        r#"["hunter","2-x"]"#,
        r#"["no:", "hunt","er2","-x"]"#,
    ] {
        let mut answer = json(&format!(r#"{{"message":{list}}}"#));
        answer.scrub(&Scrubber::new(["hunter2-x"]));
        assert!(answer.problems.iter().all(|problem| problem == WITHHELD), "{list}");
        let message = answer.message.unwrap();
        assert!(message.split("; ").all(|problem| problem == WITHHELD), "{list}: {message}");
    }
}

fn assert_bounded(answer: &ServerAnswer) {
    let mut answer = answer.clone();
    answer.scrub(&Scrubber::new([]));
    assert!(answer.message.as_ref().is_none_or(|it| it.len() <= MAX_MESSAGE));
    assert!(answer.details.as_ref().is_none_or(|it| it.len() <= MAX_DETAILS));
    assert!(answer.code.as_ref().is_none_or(|it| it.len() <= MAX_CODE));
    assert!(answer.problems.len() <= MAX_PROBLEMS);
    assert!(answer.problems.iter().all(|it| it.len() <= MAX_PROBLEM));
}

/// Bytes that look enough like an answer to get past the first check.
pub(in crate::error) fn body() -> impl Strategy<Value = Vec<u8>> {
    let fragment = prop::sample::select(vec![
        "{",
        "}",
        "[",
        "]",
        "\"",
        ":",
        ",",
        "\\u12",
        "\"message\":",
        "\"error\":",
        "\"detail\":",
        "\"code\":",
        "\"details\":",
        "\"errors\":",
        "\"loc\":",
        "\"msg\":",
        "null",
        "1e999",
        "<",
        ">",
        "<!--",
        "<script",
        "</",
        "&amp;",
        "é",
        "\u{0}",
        " ",
        "secret 'x' is already in a deleted state",
        "…",
    ]);
    let fragments = prop::collection::vec(fragment, 0..60).prop_map(|it| it.concat().into_bytes());
    prop_oneof![prop::collection::vec(any::<u8>(), 0..400), fragments]
}

fn content_type() -> impl Strategy<Value = Option<String>> {
    let usual = "(text/(html|plain)|application/(problem\\+)?json)(; ?charset=[a-z0-9-]{0,12})?";
    prop_oneof![Just(None), usual.prop_map(Some), any::<String>().prop_map(Some)]
}

proptest! {
    #[test]
    fn no_answer_is_too_odd(status: u16, kind in content_type(), body in body()) {
        let answer = parse(status, kind.as_deref(), &body);
        assert_bounded(&answer);
    }

    #[test]
    fn a_cut_answer_is_read_as_well(cut in 0_usize..120) {
        let whole = r#"{"statusCode":422,"message":["secrets.0.value: ünïcode"],"details":{"a":"\u00e9"},"code":7}"#;
        let cut = cut.min(whole.len());
        assert_bounded(&parse(422, None, whole.as_bytes().get(..cut).unwrap()));
    }
}
