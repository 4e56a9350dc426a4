#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::format_collect)]

use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use proptest::prelude::*;

use super::{REPLACED, Scrubber, WITHHELD, escape_control};

fn scrub(secret: &str, text: &str) -> String {
    Scrubber::new([secret]).scrub(text).into_owned()
}

fn json(text: &str) -> String {
    let quoted = serde_json::to_string(text).unwrap();
    quoted[1..quoted.len() - 1].to_owned()
}

/// As a server in a country without Unicode would: every character an escape, astral ones as a
/// pair.
fn json_all_escaped(text: &str) -> String {
    text.encode_utf16().map(|unit| format!("\\u{unit:04X}")).collect()
}

fn json_slashes(text: &str) -> String {
    json(text).replace('/', "\\/")
}

fn debug(text: &str) -> String {
    text.escape_debug().to_string()
}

fn rust_unicode(text: &str) -> String {
    text.escape_unicode().to_string()
}

fn percent(text: &str) -> String {
    utf8_percent_encode(text, NON_ALPHANUMERIC).to_string()
}

fn percent_lower(text: &str) -> String {
    text.bytes().map(|byte| format!("%{byte:02x}")).collect()
}

fn form(text: &str) -> String {
    percent(text).replace("%20", "+")
}

fn html(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('"', "&quot;").replace('\'', "&#39;")
}

fn html_numeric(text: &str) -> String {
    text.chars().map(|it| format!("&#x{:X};", u32::from(it))).collect()
}

fn html_padded(text: &str) -> String {
    text.chars().map(|it| format!("&#x{:08x};", u32::from(it))).collect()
}

/// As PHP's `htmlentities`.
fn html_thorough(text: &str) -> String {
    html(text).replace('é', "&eacute;")
}

/// As Python prints bytes, and nginx a request.
fn hexadecimal_bytes(text: &str) -> String {
    let byte = |byte: u8| match byte {
        b' '..=b'~' if byte != b'\\' => char::from(byte).to_string(),
        _ => format!("\\x{byte:02x}"),
    };
    text.bytes().map(byte).collect()
}

fn octal_bytes(text: &str) -> String {
    text.bytes().map(|byte| format!("\\{byte:03o}")).collect()
}

/// As old JavaScript's `escape`.
fn percent_unicode(text: &str) -> String {
    text.encode_utf16().map(|unit| format!("%u{unit:04X}")).collect()
}

type Encoding = fn(&str) -> String;

const ENCODINGS: [(&str, Encoding); 21] = [
    ("html padded", html_padded),
    ("html thorough", html_thorough),
    ("hexadecimal bytes", hexadecimal_bytes),
    ("octal bytes", octal_bytes),
    ("percent unicode", percent_unicode),
    ("raw", str::to_owned),
    ("json", json),
    ("json escaped", json_all_escaped),
    ("json slashes", json_slashes),
    ("debug", debug),
    ("rust unicode", rust_unicode),
    ("percent", percent),
    ("percent lower", percent_lower),
    ("form", form),
    ("html", html),
    ("html numeric", html_numeric),
    ("json twice", |text| json(&json(text))),
    ("json thrice", |text| json(&json(&json(text)))),
    ("html in json", |text| json(&html(text))),
    ("json in percent", |text| percent(&json(text))),
    ("percent in html", |text| html(&percent(text))),
];

const AWKWARD: &str = "p\"w/'\\x\n<é&😀 +%41\u{1b}y\r\nend";

#[test]
fn a_whole_secret_is_cut_out_in_every_form() {
    for secret in [AWKWARD, "hunter2-hunter2", "8 bytes!"] {
        for (name, encode) in ENCODINGS {
            let text = format!("value [{}] is too long", encode(secret));
            assert_eq!(scrub(secret, &text), "value [***] is too long", "{name}");
        }
    }
}

#[test]
fn the_case_of_any_alphabet_may_have_changed() {
    for (secret, echoed) in [
        ("СекретныйПароль", "СЕКРЕТНЫЙПАРОЛЬ"),
        ("gröün-pässwörd", "GRÖÜN-PÄSSWÖRD"),
        ("gröün-pässwörd", "gr&ouml;&uuml;n-p&Auml;ssw&ouml;rd"),
        ("ΑΣΦΑΛΕΙΑΣ", "ασφαλειασ"),
    ] {
        assert_eq!(scrub(secret, &format!("not {echoed}!")), "not ***!", "{echoed}");
        assert_eq!(scrub(secret, &format!("not {secret}!")), "not ***!", "{secret}");
    }
}

#[test]
fn all_occurrences_of_all_secrets_go() {
    let scrubber = Scrubber::new(["first-secret", "second-secret", "abc", ""]);
    let text = "first-secret second-secretfirst-secret FIRST-SECRET, abc";
    assert_eq!(scrubber.scrub(text), "*** ****** ***, abc".replace("******", "***"));
    assert_eq!(
        Scrubber::new(["aaaaaaaa"]).scrub("baaaaaaaaaac"),
        WITHHELD.replace(WITHHELD, "b***aac")
    );
}

#[test]
fn a_text_that_is_nothing_but_a_short_secret_is_withheld() {
    assert_eq!(scrub("abcd", "abcd"), WITHHELD);
    assert_eq!(scrub("abcd", "abc"), "abc");
    // The longest text that is searched, and one byte more.
    let longest = "z".repeat(super::MAX_TEXT);
    assert_eq!(scrub("abcd", &longest), longest);
    assert_eq!(scrub("abcd", &format!("{longest}z")), WITHHELD);
}

#[test]
fn a_secret_inside_another_is_covered_by_the_longer_one() {
    let scrubber = Scrubber::new(["hunter2-hunter2", "before hunter2-hunter2 after"]);
    assert_eq!(scrubber.scrub("x before hunter2-hunter2 after y"), "x *** y");
}

#[test]
fn case_line_ends_and_quotes_may_have_changed() {
    let secret = "-----BEGIN KEY-----\nAbCdEfGh\nIjKlMnOp\n-----END KEY-----\n";
    for echoed in [
        secret.to_uppercase(),
        secret.replace('\n', "\r\n"),
        secret.split_whitespace().collect::<Vec<_>>().join(" "),
        secret.replace('\n', ""),
        json(&secret.replace('\n', "\r\n")),
    ] {
        let scrubbed = scrub(secret, &format!("bad value {echoed}."));
        assert!(
            ["bad value ***.", "bad value ***\r\n.", "bad value ***\n.", "bad value ***\\r\\n."]
                .contains(&scrubbed.as_str()),
            "{scrubbed:?}"
        );
    }
    assert_eq!(scrub("it's \"quoted\" so", r#"bad: it'\''s \"quoted\" so"#), "bad: ***");
    assert_eq!(scrub("abcdefghijkl", "abcdef\n  ghijkl"), REPLACED);
}

#[test]
fn eight_bytes_that_run_on_hide_the_whole_text() {
    let secret = "correct-horse-battery-staple";
    for text in [
        "value correct-h… is bad",
        "…y-staple",
        "\"HORSE-BATTERY",
        "co\\u0072rect-",
        "%63orrect-",
        "&#99;orrect-",
        "%2563orrect-",
        "u0063orrect-horse\\u00",
        "correct-%",
        "cor rect-\nho",
    ] {
        assert_eq!(scrub(secret, text), WITHHELD, "{text}");
    }
    assert_eq!(scrub(secret, "value correct… is bad"), "value correct… is bad");
    assert_eq!(scrub(secret, "…-staple"), "…-staple");
}

#[test]
fn trivial_windows_count_as_well() {
    assert_eq!(scrub("token          token", "a          b"), WITHHELD);
    assert_eq!(scrub("xxxxxxxxxxxx-1", "(xxxxxxxx)"), WITHHELD);
}

#[test]
fn a_short_value_hides_the_whole_text_and_a_tiny_one_nothing() {
    for text in ["port 5432?", "%35432", "\\u00354\\u00332", "&#53;432"] {
        assert_eq!(scrub("5432", text), WITHHELD, "{text}");
    }
    assert_eq!(scrub("True", "it is TRUE"), WITHHELD);
    assert_eq!(scrub("a\nb\"c", "got a\\nb\\\"c"), WITHHELD);
    assert_eq!(scrub("a\r\nbcd", "got a\nbcd"), WITHHELD);
    assert_eq!(scrub("true", "not rue"), "not rue");
    assert_eq!(scrub("true", "t rue"), "t rue");
    assert_eq!(scrub("abc", "abc"), "abc");
    assert_eq!(scrub("", "abc"), "abc");
}

#[test]
fn cutting_cannot_put_a_secret_together() {
    // What is left after the inner one is cut out is the outer one again.
    let scrubber = Scrubber::new(["inner-secret", "outer***secret"]);
    assert_eq!(scrubber.scrub("outerinner-secretsecret"), WITHHELD);
}

#[test]
fn clean_text_is_handed_back_as_it_is() {
    let scrubber = Scrubber::new(["hunter2-hunter2"]);
    let text = "Secret group %41 \\u0041 &lt; not found";
    assert!(matches!(scrubber.scrub(text), std::borrow::Cow::Borrowed(same) if same == text));
    let mut owned = text.to_owned();
    assert!(!scrubber.scrub_string(&mut owned));
    assert_eq!(owned, text);
    let mut echoed = "no hunter2-hunter2".to_owned();
    assert!(scrubber.scrub_string(&mut echoed));
    assert_eq!(echoed, "no ***");
}

#[test]
fn large_secrets_and_texts_stay_cheap() {
    let secret: String = (0..100_000).map(|it| format!("{it:x}-")).collect();
    let scrubber = Scrubber::new(std::iter::repeat_n(secret.as_str(), 10));
    let started = std::time::Instant::now();
    assert_eq!(scrubber.scrub("nothing of the kind"), "nothing of the kind");
    assert_eq!(scrubber.scrub(&format!("bad: {}…", &secret[5000..7000])), WITHHELD);
    assert_eq!(scrubber.scrub(&"\\u0025\\u0034\\u0031&amp;+".repeat(600)).len(), 14_400);
    assert_eq!(scrubber.scrub(&"x".repeat(20_000)), WITHHELD);
    // Far above what it takes unoptimised; a quadratic search takes minutes.
    assert!(started.elapsed().as_secs() < 30, "{:?}", started.elapsed());
}

#[test]
fn control_characters_are_shown() {
    for (text, shown) in [
        ("plain é 😀 \\n", "plain é 😀 \\n"),
        ("a\nb\r\tc", "a\\nb\\r\\tc"),
        ("\u{1b}[31mred\u{7}", "\\u{1b}[31mred\\u{7}"),
        ("\u{9b}31m\u{7f}\u{0}", "\\u{9b}31m\\u{7f}\\u{0}"),
        ("\u{202e}txet\u{2066}\u{2028}\u{2029}", "\\u{202e}txet\\u{2066}\\u{2028}\\u{2029}"),
        ("a\u{200b}b\u{feff}\u{200d}", "a\\u{200b}b\\u{feff}\\u{200d}"),
    ] {
        assert_eq!(escape_control(text), shown);
        assert_eq!(escape_control(shown), shown);
    }
}

fn secret() -> impl Strategy<Value = String> {
    let character = prop_oneof![
        6 => prop::char::range(' ', '~'),
        1 => prop::sample::select(vec!['\n', '\r', '\t', '"', '\'', '\\', '/', '%', '&', '+', '<', '\u{1b}', '\u{0}']),
        1 => any::<char>(),
    ];
    prop::collection::vec(character, 4..200).prop_map(|it| it.into_iter().collect())
}

/// Every shortest run of characters that is at least eight bytes (all of a shorter value).
fn pieces(secret: &str) -> Vec<&str> {
    let end = |start: usize| (start + 8..=secret.len()).find(|end| secret.is_char_boundary(*end));
    let starts = secret.char_indices().map(|it| it.0);
    let pieces: Vec<&str> = starts.filter_map(|start| secret.get(start..end(start)?)).collect();
    if pieces.is_empty() { vec![secret] } else { pieces }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, ..ProptestConfig::default() })]

    #[test]
    fn nothing_of_an_echo_remains(
        secret in secret(),
        encoding in 0..ENCODINGS.len(),
        front in "[ a-z:'\"{]{0,12}",
        back in "[ a-z:'\"}]{0,12}",
        from in 0..40_usize,
        cut in 0..40_usize,
    ) {
        let (name, encode) = ENCODINGS[encoding];
        let whole = encode(&secret);
        // Cut at any byte of the encoded form, so also inside an escape.
        let start = (0..=from.min(whole.len())).rev().find(|at| whole.is_char_boundary(*at)).unwrap();
        let end = (whole.len().saturating_sub(cut).max(start)..=whole.len())
            .find(|at| whole.is_char_boundary(*at))
            .unwrap();
        let text = format!("{front}{}{back}", &whole[start..end]);
        let scrubbed = scrub(&secret, &text);
        if scrubbed != WITHHELD {
            for piece in pieces(&secret) {
                prop_assert!(!scrubbed.contains(piece), "{name}: {piece:?} in {scrubbed:?}");
                prop_assert!(!scrubbed.contains(&encode(piece)), "{name}: {piece:?} in {scrubbed:?}");
            }
        }
    }

    #[test]
    fn a_whole_echo_never_survives(
        secret in secret(),
        encoding in 0..ENCODINGS.len(),
        front in "\\PC{0,20}",
        back in "\\PC{0,20}",
    ) {
        let (name, encode) = ENCODINGS[encoding];
        let text = format!("{front} {} {back}", encode(&secret));
        let scrubbed = scrub(&secret, &text);
        prop_assert!(scrubbed != text, "{name}");
        prop_assert!(!scrubbed.contains(&encode(&secret)), "{name}: {scrubbed:?}");
    }

    #[test]
    fn scrubbing_never_fails_and_again_changes_nothing(
        secrets in prop::collection::vec("\\PC{0,12}", 0..4),
        text in "[\\\\u0-9a-f%&#;+x{}D8 n\"é😀]{0,80}",
    ) {
        let scrubber = Scrubber::new(secrets.iter().map(String::as_str));
        let once = scrubber.scrub(&text).into_owned();
        prop_assert_eq!(scrubber.scrub(&once), once.as_str());
    }

    #[test]
    fn no_control_character_is_left(text in any::<String>()) {
        let shown = escape_control(&text);
        prop_assert!(!shown.contains(char::is_control));
        prop_assert_eq!(escape_control(&shown), shown.as_ref());
    }
}
