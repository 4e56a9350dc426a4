#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)]

mod cost;
mod formats;

use proptest::prelude::*;

use super::find_refs;
use crate::models::{ParseSecretRefReason as Reason, SecretRef};

/// What is found: each reference, or why it is malformed.
fn found(text: &str) -> Vec<Result<String, Reason>> {
    find_refs(text)
        .map(|item| match item {
            Ok(found) => Ok(found.into_reference().to_string()),
            Err(malformed) => Err(malformed.problem().reason()),
        })
        .collect()
}

fn names(text: &str) -> Vec<String> {
    let name = |item: Result<super::FoundRef, _>| item.unwrap().reference().fqn().to_owned();
    find_refs(text).map(name).collect()
}

#[test]
fn a_plain_reference_ends_where_its_format_says() {
    for text in [
        "KEY=tfy-secret://t:g:k",
        "KEY=tfy-secret://t:g:k\r\nOTHER=1",
        "key: tfy-secret://t:g:k # why",
        "[tfy-secret://t:g:k, other]",
        "{a: tfy-secret://t:g:k}",
        "tfy-secret://t:g:k: a mapping key",
        "see (tfy-secret://t:g:k).",
        "is it tfy-secret://t:g:k?",
        "<value>tfy-secret://t:g:k</value>",
        "value=&quot;tfy-secret://t:g:k&quot;",
        "| tfy-secret://t:g:k|x |",
        "run A=tfy-secret://t:g:k;B=1",
        "run A=tfy-secret://t:g:k&&run",
        "helm --set a=tfy-secret://t:g:k,b=1",
        "run A=tfy-secret://t:g:k\\\n  B=1",
        r#""export A=tfy-secret://t:g:k\nexport B=1""#,
        r#""it's \"here\": tfy-secret://t:g:k\"""#,
        r"{\u0022a\u0022:\u0022tfy-secret://t:g:k\u0022}",
        "**tfy-secret://t:g:k**",
        "# tfy-secret://t:g:k",
        "'tfy-secret://t:g:k and no closing quote",
        "tfytfy-secret://t:g:k",
        "see “tfy-secret://t:g:k”, ‘tfy-secret://t:g:k’ and «tfy-secret://t:g:k»",
        "tfy-secret://t:g:k…",
        "tfy-secret://t:g:k。",
    ] {
        let names = names(text);
        assert!(!names.is_empty() && names.iter().all(|name| name == "t:g:k"), "{text}: {names:?}");
    }
    // If dotenv and the shell differ, the longer reading counts: at worst, no such secret exists.
    for name in ["t:g:k;B=1", "t:g:k&&run", "t:g:k\\", "t:g:k run", "t:g:k#x"] {
        for before in ["A=", "\n  export A_1=", "x\nA = "] {
            assert_eq!(names(&format!("{before}tfy-secret://{name} \nB=1")), [name]);
        }
    }
    assert_eq!(names("tfy-secret://t:g:A/b_c+d=e.f@g-h#i end"), ["t:g:A/b_c+d=e.f@g-h#i"]);
}

#[test]
fn a_quoted_reference_ends_at_its_quote() {
    for (text, name) in [
        (r#""tfy-secret://t:g:a key, {all of it""#, "t:g:a key, {all of it"),
        ("'tfy-secret://t:g:say \"k\"' x", "t:g:say \"k\""),
        ("`tfy-secret://t:g:k.` x", "t:g:k."),
        (r#""tfy-secret://t:g:say \"k\"""#, "t:g:say \"k\""),
        (r#""tfy-secret://t:g:\\" "x""#, "t:g:\\"),
        (r"'tfy-secret://t:g:k\' x", "t:g:k\\"),
        (r#""{\"A\":\"tfy-secret://t:g:k\",\"B\":1}""#, "t:g:k"),
        (r#""\"{\\\"A\\\":\\\"tfy-secret://t:g:k\\\"}\"""#, "t:g:k"),
        (r#""tfy-secret://t:g:a{{b" x"#, "t:g:a{{b"),
        (r#""tfy-secret://t:g:a,tfy-secret://t:g:b""#, "t:g:a,tfy-secret://t:g:b"),
    ] {
        assert_eq!(names(text), [name], "{text}");
    }
    // Quotes within a template do not count.
    for (text, written) in [
        (
            r#""tfy-secret://t:{{ .V.g | default "x" }}:K" and more "#,
            r#"tfy-secret://t:{{ .V.g | default "x" }}:K"#,
        ),
        (r#""tfy-secret://t:g:{{ index .V "k" }}" x"#, r#"tfy-secret://t:g:{{ index .V "k" }}"#),
        (r#""tfy-secret://t:g:a{{" }}""#, r#"tfy-secret://t:g:a{{" }}"#),
    ] {
        let item = find_refs(text).next().unwrap().unwrap_err();
        assert_eq!(&text[item.range()], written);
    }
}

#[test]
fn escapes_are_decoded_and_the_range_covers_them() {
    for (text, written) in [
        (r#"{"a":"tfy-secret:\/\/t:g:a\/b-c"}"#, r"tfy-secret:\/\/t:g:a\/b-c"),
        (
            r#"{"a":"tfy\u002dsecret:\u002F/t:g:a/b\u002dc"}"#,
            r"tfy\u002dsecret:\u002F/t:g:a/b\u002dc",
        ),
        (r#""{\"a\":\"tfy-secret:\\\/\\\/t:g:a/b-c\"}""#, r"tfy-secret:\\\/\\\/t:g:a/b-c"),
        (r#""tfy-secret:\\/\\/t:g:a/b-c""#, r"tfy-secret:\\/\\/t:g:a/b-c"),
        (r"'tfy-secret:\/\/t:g:a\/b-c'", r"tfy-secret:\/\/t:g:a\/b-c"),
        (r"run A=tfy-secret:\/\/t:g:a\/b\u002dc B", r"tfy-secret:\/\/t:g:a\/b\u002dc"),
        (r"run A=tfy-secret://t:g:a/b-c\u0026x", "tfy-secret://t:g:a/b-c"),
    ] {
        let items: Vec<_> = find_refs(text).map(Result::unwrap).collect();
        let [item] = items.as_slice() else { panic!("{text}: {items:?}") };
        assert_eq!(item.reference().fqn(), "t:g:a/b-c", "{text}");
        assert_eq!(&text[item.range()], written);
    }
    assert_eq!(names(r#""tfy-secret://t:g:\ud83d\ude00""#), ["t:g:😀"]);
    assert_eq!(names(r#""tfy-secret://t:g:\x41\/b""#), [r"t:g:\x41/b"], "a YAML escape stays");
}

#[test]
fn a_template_is_no_reference_yet() {
    for name in [
        "${TENANT}:grp:{{ .Values.key }}",
        "{{ .Values.tenant }}:{{.Values.group}}:k",
        "$(TENANT):g:$KEY",
        "t:g:{{ index .Values \"a, b\" }}-x",
        "{{ .Values.reference }}",
        "my-org:${STAGE}-app:KEY",
        "my-org:$STAGE:KEY",
        "<tenant>:<group>:<key>",
        "<your tenant>:<group>:<key>",
        "{tenant}:{group}:{key}",
        "my-org:app-{stage}:KEY",
        "${{ vars.TENANT }}:app:KEY",
    ] {
        for (before, behind) in [
            ("a: ", " # x"),
            ("A=", "\n"),
            ("see ", " there"),
            ("see (", ")."),
            ("'", "'"),
            ("`", "`"),
            ("# a: ", ", say"),
            ("- ", ""),
            ("<b>", "</b>"),
        ] {
            let text = format!("{before}tfy-secret://{name}{behind}");
            let items: Vec<_> = find_refs(&text).collect();
            let [Err(item)] = items.as_slice() else { panic!("{text}: {items:?}") };
            assert_eq!(item.problem().reason(), Reason::Template, "{text}");
            assert_eq!(text[item.range()], format!("tfy-secret://{name}"));
        }
    }
    let json = r#"{"a": "tfy-secret://t:{{ .V.g | default \"x\" }}:k"}"#;
    assert_eq!(found(json), [Err(Reason::Template)]);
    // Text that does not close nearby on its line is not a template.
    let long = format!("see tfy-secret://t:g:${{{}}}", "x".repeat(300));
    assert_eq!(names(&long), ["t:g:$"]);
    assert_eq!(names("see tfy-secret://t:g:k{{ \n }}"), ["t:g:k"]);
    let wide = format!("see tfy-secret://t:g:${{{}}}", "é".repeat(300));
    assert_eq!(names(&wide), ["t:g:$"]);
    assert_eq!(names("<b>tfy-secret://t:g:k<br>"), ["t:g:k"]);
}

#[test]
fn a_scheme_that_nothing_follows_is_prose() {
    for text in [
        "## Write a tfy-secret:// reference here, never the key itself.",
        "Use `tfy-secret://` and \"tfy-secret://\" and 'tfy-secret://'.",
        "Credentials are `tfy-secret://...` references (tfy-secret://…).",
        "tfy-secret://",
        "A=tfy-secret://",
        "A: tfy-secret:// # to be filled in",
        "note: tfy-secret:// references, a/b, go here",
        "\"tfy-secret:// references go here\"",
        r#""tfy-secret:\/\/""#,
        r"tfy-secret:\/\/([^:]+):([^:]+):(.+)$",
        "tfy-secret://, tfy-secret://",
        "TFY-SECRET://t:g:k tfy-secret:/t:g:k t:g:k tfy",
    ] {
        assert_eq!(found(text), [], "{text}");
    }
    assert_eq!(names("note: tfy-secret:// references, such as tfy-secret://t:g:k"), ["t:g:k"]);
    // The platform takes these for references.
    assert_eq!(names("A: tfy-secret:// t:g:k"), [" t:g:k"]);
    assert_eq!(names("'tfy-secret://..:g:k'"), ["..:g:k"]);
}

#[test]
fn what_is_malformed_is_an_item_too() {
    assert_eq!(found("tfy-secret://only:two"), [Err(Reason::NoKey)]);
    assert_eq!(found("see tfy-secret://t and tfy-secret://:"), [Err(Reason::NoGroup)]);
    assert_eq!(found("tfy-secret://:g:k"), [Err(Reason::NoTenant)]);
    assert_eq!(found("A: tfy-secret://group/KEY"), [Err(Reason::SlashForColon)]);
    assert_eq!(found(r#""tfy-secret://t:g:a\nb""#), [Err(Reason::LineBreak)]);

    let text = "x: tfy-secret://hunter2";
    let malformed = find_refs(text).next().unwrap().unwrap_err();
    assert_eq!(&text[malformed.range()], "tfy-secret://hunter2");
    assert_eq!((malformed.line(), malformed.column()), (1, 4));
    assert_eq!(
        malformed.to_string(),
        "line 1, column 4: malformed secret reference: no group at byte 20 \
         (a reference is written tfy-secret://tenant:group:key)"
    );
    assert!(!format!("{malformed:?} {:?}", find_refs(text)).contains("hunter2"));
}

/// Each was read as `t:g:k`, which may exist, while its format has another value.
#[test]
fn no_reference_ends_where_its_format_lets_the_value_go_on() {
    for character in [
        '\u{a0}', '\u{2003}', '\u{202f}', '\u{3000}', '\u{85}', '\u{b}', '\u{c}', '\0', '\u{7f}',
        '\u{1b}', '\u{200b}', '\u{feff}', '\u{202e}', '\u{ad}', '\u{3164}', '\u{2800}',
    ] {
        for (before, behind) in [
            ("A: ", "\n"),
            ("A=", "\n"),
            ("- ", ""),
            ("[", "]"),
            ("'", "'"),
            ("see ", " there"),
            ("# ", ""),
            ("(", ")"),
            ("  ", "x"),
            ("A: ", "x # y"),
        ] {
            let text = format!("{before}tfy-secret://t:g:k{character}{behind}");
            assert_eq!(found(&text), [Err(Reason::Unprintable(character))], "{text:?}");
        }
    }
    assert_eq!(found("A: tfy-secret://t:g:k\tx"), [Err(Reason::Unprintable('\t'))]);
    for (text, name) in [
        ("A: tfy-secret://t:g:k,", "t:g:k,"),
        ("A: tfy-secret://t:g:k, or so", "t:g:k, or so"),
        ("A: tfy-secret://t:g:k#x", "t:g:k#x"),
        ("A: tfy-secret://t:g:k.", "t:g:k."),
        ("A: tfy-secret://t:g:k\"", "t:g:k\""),
        (r"A: tfy-secret://t:g:k\n", r"t:g:k\n"),
        ("A: tfy-secret://t:g:k]", "t:g:k]"),
        ("A:\n  tfy-secret://t:g:k, x", "t:g:k, x"),
        ("- tfy-secret://t:g:k;", "t:g:k;"),
        ("-\n  tfy-secret://t:g:k;", "t:g:k;"),
        ("a:\n- - b: tfy-secret://t:g:k,", "t:g:k,"),
        ("a: {b: 'x]'}\nc: tfy-secret://t:g:k,", "t:g:k,"),
        ("{{- if eq .a \"{\" }}\nc: tfy-secret://t:g:k,", "t:g:k,"),
        ("it's [x\nc: tfy-secret://t:g:k,", "t:g:k,"),
        ("[tfy-secret://t:g:k;, x]", "t:g:k;"),
        ("{\n  a: tfy-secret://t:g:k x,\n}", "t:g:k x"),
        ("A: 'tfy-secret://t:g:it''s'", "t:g:it's"),
        ("A='''tfy-secret://t:g:k'''", "t:g:k"),
    ] {
        assert_eq!(names(text), [name], "{text}");
    }
    for text in [
        "A: tfy-secret://t:g:k\n  more",
        "A: tfy-secret://t:g:k \r\n\r\n more",
        "A:\n  tfy-secret://t:g:k\n  more",
        "- a: 1\n  A: tfy-secret://t:g:k\n   more",
        "- tfy-secret://t:g:k\n - more",
        "[tfy-secret://t:g:k\nmore]",
        "A: \"tfy-secret://t:g:k\n  more\"",
        "A: 'tfy-secret://t:g:k \n  more'",
        "A='tfy-secret://t:g:k\nmore'",
    ] {
        assert_eq!(found(text), [Err(Reason::LineBreak)], "{text}");
    }
    for text in [
        "  A: tfy-secret://t:g:k\n  B: x",
        "- A: tfy-secret://t:g:k\n  B: x",
        "- tfy-secret://t:g:k\n- x",
        "A: tfy-secret://t:g:k\n    # a comment",
        "A: tfy-secret://t:g:k\n    {{- if .Values.x }}",
        "[\n  tfy-secret://t:g:k\n]",
        "A: tfy-secret://t:g:k # x\n    y",
        "A: tfy-secret://t:g:k\n\n",
        "\"A: tfy-secret://t:g:k\" x",
        "-H \"A: tfy-secret://t:g:k\" x",
        "'tfy-secret://t:g:k' and 'more\n",
    ] {
        assert_eq!(names(text), ["t:g:k"], "{text}");
    }
}

#[test]
fn lines_and_columns_count_characters() {
    let text = "é tfy-secret://t:g:1 'tfy-secret://t:g:2'\r\n\n  😀\ttfy-secret://t:g:3";
    let at: Vec<_> = find_refs(text).map(|item| item.unwrap()).collect();
    let at: Vec<_> = at.iter().map(|item| (item.line(), item.column())).collect();
    assert_eq!(at, [(1, 3), (1, 23), (3, 5)]);
}

fn any_reference() -> impl Strategy<Value = SecretRef> {
    let part = || prop_oneof!["[a-z-]{1,9}", any::<String>(), "[\"'\\\\/: ,.{}t]{1,9}"];
    (part(), part(), part()).prop_filter_map("no reference", |(tenant, group, key)| {
        SecretRef::parse(&format!("tfy-secret://{tenant}:{group}:{key}")).ok()
    })
}

/// References with names as stores have them, which need no quotes in a manifest.
fn plain_reference() -> impl Strategy<Value = SecretRef> {
    ("[a-z][a-z0-9-]{0,9}", "[a-z][a-z0-9-]{0,9}", "[A-Za-z0-9/_+=.@-]{0,9}[A-Za-z0-9_]")
        .prop_map(|(tenant, group, key)| SecretRef::new(&tenant, &group, &key).unwrap())
}

fn tangled_text() -> impl Strategy<Value = String> {
    let token = prop_oneof![
        Just("tfy-secret://"),
        Just("tfy-secret:\\/\\/"),
        Just("tfy\\u002dsecret://"),
        Just("tfy"),
        Just("\""),
        Just("\\\""),
        Just("'"),
        Just("`"),
        Just("\\"),
        Just("\\u00"),
        Just("\\ud83d"),
        Just("t:g:k"),
        Just(":"),
        Just("/"),
        Just("\n"),
        Just("\r"),
        Just(" "),
        Just("{{"),
        Just("}}"),
        Just("${"),
        Just("}"),
        Just("é"),
        Just("😀"),
        Just("\u{2028}"),
        Just("."),
        Just(","),
    ];
    prop_oneof![any::<String>(), prop::collection::vec(token, 0..40).prop_map(|t| t.concat())]
}

/// Whether the text has no scheme that a name follows.
fn only_prose(text: &str) -> bool {
    text.split("tfy-secret://").skip(1).all(|after| !after.starts_with(char::is_alphanumeric))
}

proptest! {
    #[test]
    fn references_are_found_in_plain_text_and_in_simple_quotes(
        placed in prop::collection::vec((plain_reference(), 0_usize..10), 0..9),
    ) {
        let around = [
            ("A=", "\n"), ("a: ", "\n"), ("- ", " # tfy\r\n"), ("a: \"", "\"\n"), ("b: '", "'\n"),
            ("[", "]\n"), ("{\"x\": \"", "\"}"), ("export A=", "\n"), ("<", ">"), ("see ", ". "),
        ];
        let mut text = String::new();
        for (reference, way) in &placed {
            text.push_str(around[*way].0);
            text.push_str(reference.as_str());
            text.push_str(around[*way].1);
        }
        let items: Vec<_> = find_refs(&text).map(Result::unwrap).collect();
        prop_assert_eq!(items.len(), placed.len());
        for (item, (reference, _)) in items.iter().zip(&placed) {
            prop_assert_eq!(item.reference(), reference);
            prop_assert_eq!(&text[item.range()], reference.as_str());
        }
    }

    #[test]
    fn any_reference_is_found_in_json(references in prop::collection::vec(any_reference(), 0..9)) {
        let text = serde_json::to_string_pretty(&references).unwrap();
        let items: Vec<_> = find_refs(&text).map(|i| i.unwrap().into_reference()).collect();
        prop_assert_eq!(&items, &references);

        let slashes = text.replace('/', "\\/");
        let items: Vec<_> = find_refs(&slashes).map(|i| i.unwrap().into_reference()).collect();
        prop_assert_eq!(&items, &references);
    }

    #[test]
    fn any_text_is_searched_and_places_are_right(text in tangled_text()) {
        let mut end = 0;
        for item in find_refs(&text) {
            let (range, line, column) = match &item {
                Ok(found) => (found.range(), found.line(), found.column()),
                Err(malformed) => (malformed.range(), malformed.line(), malformed.column()),
            };
            prop_assert!(range.start >= end && text[range.clone()].starts_with("tfy"));
            prop_assert!(only_prose(&text[end..range.start]));
            end = range.end;
            let before = &text[..range.start];
            let line_start = before.rfind('\n').map_or(0, |at| at + 1);
            prop_assert_eq!(line, before.matches('\n').count() + 1);
            prop_assert_eq!(column, before[line_start..].chars().count() + 1);
            let written = &text[range];
            if let (Ok(found), false) = (&item, written.contains('\\')) {
                prop_assert_eq!(found.reference().as_str(), written);
            }
        }
        prop_assert!(only_prose(&text[end..]));
    }
}
