//! A manifest, YAML or JSON, as text in which single values are replaced. Comments, order and layout stay,
//! because the rest of the text is not touched.

mod events;
mod place;
mod replace;
mod walk;

use events::Node;
pub(crate) use events::Refusal;
pub(crate) use place::{Kind, Place, Within};

/// A parsed manifest, with all places that hold a value.
pub(crate) struct Manifest<'a> {
    text: &'a str,
    is_json: bool,
    /// As the parser reports them; comments are among them, too.
    events: Vec<events::Reported<'a>>,
    /// The ways from the top to the places.
    steps: Vec<place::Step>,
    places: Vec<Place>,
    name: Option<usize>,
}

impl<'a> Manifest<'a> {
    pub(crate) fn parse(text: &'a str) -> Result<Self, Refusal> {
        let events = events::of(text)?;
        let documents = events::documents(&events);
        let is_json = serde_json::from_str::<serde::de::IgnoredAny>(text).is_ok();
        let name = documents.iter().find_map(|document| name_of(&events, document));
        let (steps, places) = walk::places(&events, &documents);
        Ok(Self { text, is_json, events, steps, places, name })
    }

    /// The name of the first document that has one.
    pub(crate) fn name(&self) -> Option<&str> {
        self.name.map(|at| events::text(&self.events, at))
    }

    /// Every value, wherever it is, in order.
    pub(crate) fn places(&self) -> &[Place] {
        &self.places
    }

    /// The comments, with their lines.
    pub(crate) fn comments(&self) -> impl Iterator<Item = (usize, &str)> {
        (0..self.events.len())
            .filter_map(|at| Some((self.line_of(at), events::comment(&self.events, at)?)))
    }

    fn line_of(&self, at: usize) -> usize {
        self.events.get(at).map_or(0, |(_, span)| span.start.line())
    }
}

/// `name`, or `metadata.name` as in Kubernetes.
fn name_of(events: &[events::Reported<'_>], document: &Node) -> Option<usize> {
    let name = |node: &Node| match node.field(events, "name")? {
        Node::Scalar(at) if !events::text(events, *at).is_empty() => Some(*at),
        _ => None,
    };
    name(document).or_else(|| name(document.field(events, "metadata")?))
}
