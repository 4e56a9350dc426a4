#![allow(clippy::unwrap_used)]

use proptest::prelude::*;

use super::{
    ErrorBody, MARGIN, MAX_CODE, MAX_DETAILS, MAX_JUNK, MAX_MESSAGE, MAX_PROBLEM, MAX_PROBLEMS,
    parse,
};
use crate::redact::{Scrubber, WITHHELD};

fn json(body: &str) -> ErrorBody {
    parse(400, Some("application/json; charset=utf-8"), body.as_bytes())
}

/// A body, and the message, code and problems in it.
type Shape = (&'static str, Option<&'static str>, Option<&'static str>, &'static [&'static str]);

#[test]
fn every_documented_shape_gives_its_message_code_and_problems() {
    #[rustfmt::skip]
    let cases: &[Shape] = &[
        (r#"{"statusCode":409,"message":"m"}"#, Some("m"), None, &[]),
        (r#"{"statusCode":409,"message":"m","code":17}"#, Some("m"), Some("17"), &[]),
        (r#"{"statusCode":409,"message":" m ","code":"C"}"#, Some("m"), Some("C"), &[]),
        (r#"{"message":["a","b"],"error":"Unprocessable Entity"}"#, Some("a; b"), None, &["a", "b"]),
        (r#"{"error":"Bad Request","message":"m"}"#, Some("m"), None, &[]),
        (r#"{"message":[],"error":"Bad Request"}"#, Some("Bad Request"), None, &[]),
        (r#"{"message":"","error":"e"}"#, Some("e"), None, &[]),
        (r#"{"message":null,"code":null,"error":"e"}"#, Some("e"), None, &[]),
        (r#"{"error":"e"}"#, Some("e"), None, &[]),
        (r#"{"error":{"message":"m","code":"C"}}"#, Some("m"), Some("C"), &[]),
        (r#"{"detail":"d"}"#, Some("d"), None, &[]),
        (r#"{"detail":[{"loc":["body","secrets",0,"key"],"msg":"field required","type":"missing"}]}"#,
            Some("body.secrets.0.key: field required"), None, &["body.secrets.0.key: field required"]),
        (r#"{"detail":[{"msg":"m"},7,"n"]}"#, Some("m; n"), None, &["m", "n"]),
        (r#"["a","b"]"#, Some("a; b"), None, &["a", "b"]),
        ("{}", None, None, &[]),
        ("[]", None, None, &[]),
        ("", None, None, &[]),
        (" \r\n ", None, None, &[]),
        ("\u{feff}{\"message\":\"m\"}", Some("m"), None, &[]),
        ("503", Some("503"), None, &[]),
        ("upstream  connect\nerror", Some("upstream connect error"), None, &[]),
        // Another shape is better shown than swallowed.
        (r#"{"status": "failed"}"#, Some(r#"{"status": "failed"}"#), None, &[]),
    ];
    for (body, message, code, problems) in cases {
        let read = json(body);
        assert_eq!(read.message.as_deref(), *message, "{body}");
        assert_eq!(read.code.as_deref(), *code, "{body}");
        assert_eq!(read.problems, *problems, "{body}");
        assert_eq!(read.status, 400);
    }
}

#[test]
fn details_stay_the_json_that_was_sent() {
    for (body, details) in [
        (r#"{"message":"m","details":{"a": [1, 2]}}"#, Some(r#"{"a": [1, 2]}"#)),
        (r#"{"message":"m","details":"te\u0078t"}"#, Some("text")),
        (r#"{"message":"m","details":null}"#, None),
        ("{}", None),
    ] {
        assert_eq!(json(body).details.as_deref(), details, "{body}");
    }
}

#[test]
fn what_stands_before_a_cut_is_kept() {
    let long = "x".repeat(100_000);
    let list = format!("[{}1]", "\"x\",".repeat(50_000));
    for rest in [
        format!(r#","details":"{long}"}}"#),
        format!(r#","details":{list}}}"#),
        format!(r#","other":{{"a":{list}}}}}"#),
        r#","deta"#.to_owned(),
        r#","details":{"a"#.to_owned(),
    ] {
        let body = format!(r#"{{"statusCode":422,"code":"C","message":"said"{rest}"#);
        let read = parse(422, None, body.as_bytes());
        assert_eq!((read.message.as_deref(), read.code.as_deref()), (Some("said"), Some("C")));
        assert!(read.has_ended(422));
    }
    // Text that is not JSON has no fields.
    let odd = r#"{"statusCode":422,"message":"said "more" than that"}"#;
    let read = parse(422, None, odd.as_bytes());
    assert_eq!((read.message.as_deref(), read.has_ended(422)), (Some(odd), false));
    // A message that is itself truncated is shown as the raw text.
    let read = parse(422, None, format!(r#"{{"code":"C","message":"said {long}"}}"#).as_bytes());
    assert_eq!(read.code.as_deref(), Some("C"));
    assert!(read.message.unwrap().starts_with(r#"{"code":"C","message":"said x"#));
}

#[test]
fn a_failure_has_ended_if_the_service_says_so_itself() {
    let own = |status: u16| format!(r#"{{"statusCode":{status},"message":"m"}}"#);
    for status in [400, 409, 424, 500, 503] {
        assert!(parse(status, None, own(status).as_bytes()).has_ended(status), "{status}");
    }
    for status in [408, 502, 504] {
        assert!(!parse(status, None, own(status).as_bytes()).has_ended(status), "{status}");
    }
    for body in [
        own(503).as_str(),
        r#"{"statusCode":"500","message":"m"}"#,
        r#"{"statusCode":500.5,"message":"m"}"#,
        r#"{"statusCode":500}"#,
        r#"{"statusCode":500,"message":""}"#,
        r#"{"statusCode":500,"error":"m"}"#,
        r#"{"message":"m"}"#,
        r#"[{"statusCode":500,"message":"m"}]"#,
        r#"{"error":{"statusCode":500,"message":"m"}}"#,
        "<html>500</html>",
        "",
    ] {
        assert!(!parse(500, None, body.as_bytes()).has_ended(500), "{body}");
    }
}

#[test]
fn pages_are_reduced_to_what_they_say() {
    let nginx = "<html>\r\n<head><title>502 Bad Gateway</title><style>b{a:1}</style></head>\r\n<body>\
        <!-- <b>no</b> --><center><h1>502 Bad Gateway</h1></center><hr>nginx &amp; co<script>1<2</script></body></html>";
    let read = parse(502, Some("text/html"), nginx.as_bytes());
    assert_eq!(read.message.as_deref(), Some("502 Bad Gateway nginx & co"));
    let unlabelled = parse(502, None, nginx.as_bytes());
    assert_eq!(unlabelled.message, read.message);
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
    let mut read = json(
        r#"{"message":["no: hunter2-hunter2","fine"],"code":"hunter2-hunter2","details":{"v":"hunter2-hunter2"}}"#,
    );
    read.scrub(&Scrubber::new(["hunter2-hunter2"]));
    assert_eq!(read.message.as_deref(), Some("(message withheld); fine"));
    assert_eq!(read.problems, [WITHHELD, "fine"]);
    assert_eq!(read.code, None);
    assert_eq!(read.details.as_deref(), Some(WITHHELD));
}

#[test]
fn a_page_that_swallowed_part_of_a_secret_as_a_tag_hides_the_rest() {
    for secret in
        ["abcdefg<b>hijklmn", "abcdefg<hijklmn", "abcd&lt;efg&amp;hij", "a b c d <e> f g h"]
    {
        let page = format!("<html><h1>bad value {secret} sent</h1></html>");
        let mut read = parse(400, Some("text/html"), page.as_bytes());
        read.scrub(&Scrubber::new([secret]));
        assert_eq!(read.message.as_deref(), Some(WITHHELD), "{secret}");
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
            (MAX_PROBLEM, r#"{"message":["@","@"]}"#),
            (MAX_DETAILS, r#"{"message":"m","details":"@"}"#),
            (MAX_JUNK, r#"{"odd":"@"}"#),
            (MAX_CODE, r#"{"message":"m","code":"@"}"#),
            (MAX_JUNK, "plain: @"),
            (MAX_JUNK, "<p>@</p>"),
        ] {
            let around = limit - 24..limit + 4;
            for filler in around.chain(limit + MARGIN - 24..limit + MARGIN + 4) {
                let body = shape.replace('@', &format!("{} {quoted}", "z".repeat(filler)));
                let mut read = parse(400, None, body.as_bytes());
                read.scrub(&scrubber);
                assert_bounded(&read);
                let texts = [&read.message, &read.details, &read.code];
                for text in texts.into_iter().flatten().chain(&read.problems) {
                    assert!(!text.contains(&head), "{shape} {filler}: {text}");
                }
            }
        }
    }
}

#[test]
fn what_a_server_shortened_itself_stays_as_it_is() {
    for text in ["Please wait…", "…", "Secret db is currently being deleted…"] {
        let mut read = json(&serde_json::json!({"message": text, "code": text}).to_string());
        read.scrub(&Scrubber::new(["another value"]));
        assert_eq!(read.message.as_deref(), Some(text));
        assert_eq!(read.code.as_deref(), Some(text));
    }
    // However many they are: only what quotes a secret is withheld.
    let problem = "z".repeat(1000);
    let mut read = json(&serde_json::json!({"message": vec![&problem; 40]}).to_string());
    read.scrub(&Scrubber::new(["another value"]));
    assert_eq!(read.problems.len(), MAX_PROBLEMS);
    assert!(read.problems.iter().all(|it| it.len() == MAX_PROBLEM && it.starts_with("zzz")));
    assert_eq!(read.message.unwrap().len(), MAX_MESSAGE);
}

#[test]
fn a_secret_that_was_taken_for_a_list_is_withheld_as_a_whole() {
    for list in [
        r#"["h","u","n","t","e","r","2","-","x"]"#,
        r#"["hunter","2-x"]"#,
        r#"["no:", "hunt","er2","-x"]"#,
    ] {
        let mut read = json(&format!(r#"{{"message":{list}}}"#));
        read.scrub(&Scrubber::new(["hunter2-x"]));
        assert!(read.problems.iter().all(|problem| problem == WITHHELD), "{list}");
        let message = read.message.unwrap();
        assert!(message.split("; ").all(|problem| problem == WITHHELD), "{list}: {message}");
    }
}

fn assert_bounded(read: &ErrorBody) {
    let mut read = read.clone();
    read.scrub(&Scrubber::new([]));
    assert!(read.message.as_ref().is_none_or(|it| it.len() <= MAX_MESSAGE));
    assert!(read.details.as_ref().is_none_or(|it| it.len() <= MAX_DETAILS));
    assert!(read.code.as_ref().is_none_or(|it| it.len() <= MAX_CODE));
    assert!(read.problems.len() <= MAX_PROBLEMS);
    assert!(read.problems.iter().all(|it| it.len() <= MAX_PROBLEM));
}

/// Bytes that look enough like a response to pass the first check.
pub(in crate::error::response) fn any_body() -> impl Strategy<Value = Vec<u8>> {
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
    fn no_body_is_too_odd(status: u16, kind in content_type(), body in any_body()) {
        let read = parse(status, kind.as_deref(), &body);
        assert_bounded(&read);
    }

    #[test]
    fn a_cut_body_is_read_as_well(cut in 0_usize..120) {
        let whole = r#"{"statusCode":422,"message":["secrets.0.value: ünïcode"],"details":{"a":"\u00e9"},"code":7}"#;
        let cut = cut.min(whole.len());
        assert_bounded(&parse(422, None, whole.as_bytes().get(..cut).unwrap()));
    }
}
