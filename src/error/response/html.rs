/// The visible text of an HTML or XML page, without its tags, at most a little over `max` bytes.
///
/// Not a parser: a proxy's error page needs no more, and a page made to confuse gives at worst an
/// odd text.
pub(super) fn text(page: &str, max: usize) -> String {
    let mut seen: Vec<String> = Vec::new();
    let mut length = 0_usize;
    let mut rest = page;
    while !rest.is_empty() && length <= max {
        let (visible, tail) = rest.split_once('<').unwrap_or((rest, ""));
        let visible = unescape(visible);
        length += visible.len();
        // The heading of such a page repeats its title.
        if !visible.is_empty() && seen.last() != Some(&visible) {
            seen.push(visible);
        }
        rest = after_tag(tail);
    }
    seen.join(" ")
}

/// The text after the tag that `rest` begins in; for a script, a style or a comment, the text after
/// its end.
fn after_tag(rest: &str) -> &str {
    for (opening, closing) in [("!--", "-->"), ("script", "</script"), ("style", "</style")] {
        let begins = rest.get(..opening.len()).is_some_and(|it| it.eq_ignore_ascii_case(opening));
        if begins {
            let end = find_ignoring_case(rest, closing);
            let tail = end.and_then(|at| rest.get(at + closing.len()..)).unwrap_or_default();
            return if opening == "!--" {
                tail
            } else {
                tail.split_once('>').map_or("", |it| it.1)
            };
        }
    }
    rest.split_once('>').map_or("", |(_, tail)| tail)
}

fn find_ignoring_case(text: &str, what: &str) -> Option<usize> {
    text.as_bytes()
        .windows(what.len())
        .position(|window| window.eq_ignore_ascii_case(what.as_bytes()))
}

fn unescape(text: &str) -> String {
    let folded = text.split_whitespace().collect::<Vec<_>>().join(" ");
    if !folded.contains('&') {
        return folded;
    }
    [
        ("&lt;", "<"),
        ("&gt;", ">"),
        ("&quot;", "\""),
        ("&#34;", "\""),
        ("&apos;", "'"),
        ("&#39;", "'"),
        ("&#x27;", "'"),
        ("&nbsp;", " "),
        // Last, so that `&amp;lt;` stays the `&lt;` that its author meant.
        ("&amp;", "&"),
    ]
    .iter()
    .fold(folded, |text, (entity, character)| text.replace(entity, character))
}
