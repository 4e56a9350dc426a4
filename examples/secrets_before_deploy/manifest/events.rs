//! What the parser reports, and the tree that it stands for. ARCHITECTURE.md explains the choice of
//! the parser.

use serde_saphyr::granit_parser::{Event, Parser, Span};

pub(super) type Reported<'a> = (Event<'a>, Span);

/// Why a manifest is not changed. It never quotes the manifest's text, which may hold secrets.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Refusal(pub(crate) String);

/// Ten times as deep as manifests are nested.
const MAX_DEPTH: usize = 100;

/// Scalars and aliases by their event.
pub(super) enum Node {
    Scalar(usize),
    Alias { at: usize, anchor: usize },
    Map(Vec<(Node, Node)>),
    Seq(Vec<Node>),
}

/// A hundred times as long as any manifest.
const MAX_LENGTH: usize = 16 << 20;

pub(super) fn of(text: &str) -> Result<Vec<Reported<'_>>, Refusal> {
    if text.len() > MAX_LENGTH {
        return Err(Refusal("longer than 16 MiB".to_owned()));
    }
    let mut events = Vec::new();
    let mut depth = 0_usize;
    for event in Parser::new_from_str(text) {
        let (event, span) = event.map_err(|error| {
            let at = error.marker();
            let is_deep = error.to_string().contains("recursion limit");
            let problem = if is_deep { "nested too deep" } else { "not valid YAML or JSON" };
            Refusal(format!("{problem} at line {}, column {}", at.line(), at.col() + 1))
        })?;
        match event {
            Event::MappingStart(..) | Event::SequenceStart(..) => depth += 1,
            Event::MappingEnd | Event::SequenceEnd => depth = depth.saturating_sub(1),
            _ => {}
        }
        if depth > MAX_DEPTH {
            let line = span.start.line();
            return Err(Refusal(format!("nested more than {MAX_DEPTH} deep at line {line}")));
        }
        events.push((event, span));
    }
    Ok(events)
}

/// A scalar's text. The parser reports an empty one as `~`.
pub(super) fn text<'e>(events: &'e [Reported<'_>], at: usize) -> &'e str {
    match events.get(at) {
        Some((Event::Scalar(text, ..), span)) if !span.is_empty() => text,
        _ => "",
    }
}

pub(super) fn comment<'e>(events: &'e [Reported<'_>], at: usize) -> Option<&'e str> {
    match events.get(at) {
        Some((Event::Comment(text, _), _)) => Some(text),
        _ => None,
    }
}

/// The top of each document.
pub(super) fn documents(events: &[Reported<'_>]) -> Vec<Node> {
    let mut reader = Reader { events, at: 0 };
    std::iter::from_fn(|| reader.node()).collect()
}

struct Reader<'e, 'a> {
    events: &'e [Reported<'a>],
    at: usize,
}

impl Reader<'_, '_> {
    /// The next node, or `None` at the end of the collection or of the text.
    fn node(&mut self) -> Option<Node> {
        loop {
            let at = self.at;
            let (event, _) = self.events.get(at)?;
            self.at += 1;
            match event {
                Event::Scalar(..) => return Some(Node::Scalar(at)),
                Event::Alias(anchor) => return Some(Node::Alias { at, anchor: *anchor }),
                Event::SequenceStart(..) => {
                    return Some(Node::Seq(std::iter::from_fn(|| self.node()).collect()));
                }
                Event::MappingStart(..) => {
                    let entries = std::iter::from_fn(|| Some((self.node()?, self.node()?)));
                    return Some(Node::Map(entries.collect()));
                }
                Event::SequenceEnd | Event::MappingEnd => return None,
                _ => {}
            }
        }
    }
}

impl Node {
    /// The first value of that name.
    pub(super) fn field(&self, events: &[Reported<'_>], name: &str) -> Option<&Node> {
        let Node::Map(entries) = self else { return None };
        let is_it = |key: &Node| matches!(key, Node::Scalar(at) if text(events, *at) == name);
        entries.iter().find(|(key, _)| is_it(key)).map(|(_, value)| value)
    }

    pub(super) fn scalar(&self) -> Option<usize> {
        if let Node::Scalar(at) = self { Some(*at) } else { None }
    }
}
