//! Finds the places of a manifest, with the names under which values stand: each format has its own way to
//! give one.

use std::collections::HashMap;

use serde_saphyr::granit_parser::Event;

use super::events::{self, Node, Reported};
use super::place::{Kind, Label, Place, Step, Within};
use crate::judge;

/// Names of maps of environment variables: in TrueFoundry, Kubernetes, GitHub, Docker Compose, and
/// charts.
const ENVIRONMENTS: [&str; 7] =
    ["env", "environment", "envs", "envVars", "extraEnv", "extraEnvVars", "env_vars"];

/// Fields whose siblings are not secrets themselves: of Kubernetes, ECS, and External Secrets.
const REFERRING: &[&str] = &["valueFrom", "remoteRef", "sourceRef"];

pub(super) fn places(events: &[Reported<'_>], documents: &[Node]) -> (Vec<Step>, Vec<Place>) {
    let anchor = |(at, (event, _)): (usize, &Reported<'_>)| match event {
        Event::Scalar(_, _, anchor, _) if *anchor > 0 => Some((*anchor, Some(at))),
        Event::SequenceStart(_, anchor, _) if *anchor > 0 => Some((*anchor, None)),
        _ => None,
    };
    let anchors = events.iter().enumerate().filter_map(anchor).collect();
    let top = Step { parent: 0, label: Label::Top };
    let mut walk = Walk { events, anchors, steps: vec![top], places: Vec::new() };
    for document in documents {
        walk.node(document, Context::TOP);
    }
    (walk.steps, walk.places)
}

struct Walk<'e, 'a> {
    events: &'e [Reported<'a>],
    /// The scalar of each anchor, or `None` for a list.
    anchors: HashMap<usize, Option<usize>>,
    steps: Vec<Step>,
    places: Vec<Place>,
}

/// What is known about a node before it is visited.
#[derive(Clone, Copy)]
struct Context {
    step: usize,
    name_at: Option<usize>,
    map_at: Option<usize>,
    kind: Kind,
    within: Within,
    /// An item of a list.
    is_item: bool,
}

impl Context {
    const TOP: Self = Self {
        step: 0,
        name_at: None,
        map_at: None,
        kind: Kind::Field,
        within: Within::Other,
        is_item: false,
    };
}

impl Walk<'_, '_> {
    fn node(&mut self, node: &Node, context: Context) {
        match node {
            Node::Scalar(at) => self.scalar(*at, context),
            Node::Alias { at, anchor } => self.alias(*at, *anchor, context),
            Node::Seq(items) => self.items(items, context),
            Node::Map(entries) => self.entries(node, entries, context),
        }
    }

    fn scalar(&mut self, at: usize, context: Context) {
        let fixed = match self.events.get(at) {
            _ if context.kind == Kind::Key => Some("it is a name"),
            Some((Event::Scalar(_, _, anchor, _), _)) if *anchor > 0 => {
                Some("an anchor makes it appear elsewhere, too")
            }
            Some((Event::Scalar(_, _, _, Some(_)), _)) => Some("it has a tag"),
            _ => None,
        };
        let is_assignment =
            context.is_item && context.kind != Kind::Key && self.is_environment(context);
        let prefix = if is_assignment { assignment(events::text(self.events, at)) } else { 0 };
        let kind = if prefix > 0 { Kind::Variable } else { context.kind };
        self.push(at, Some(at), prefix, fixed, Context { kind, ..context });
    }

    /// What a map holds is judged where it is written. Values of a list are named by what the list is for.
    fn alias(&mut self, at: usize, anchor: usize, context: Context) {
        let is_of_a_secret = matches!(context.within, Within::SecretText | Within::SecretBase64);
        if let Some(text_at) = self.anchors.get(&anchor).copied() {
            self.push(at, text_at, 0, Some("it is an alias"), context);
        } else if is_of_a_secret {
            self.push(at, None, 0, Some("it is an alias"), context);
        }
    }

    fn push(
        &mut self,
        at: usize,
        text_at: Option<usize>,
        prefix: usize,
        fixed: Option<&'static str>,
        context: Context,
    ) {
        let Context { step, name_at, map_at, kind, within, .. } = context;
        self.places.push(Place { at, text_at, prefix, name_at, map_at, step, kind, within, fixed });
    }

    fn items(&mut self, items: &[Node], context: Context) {
        let mut flag = None;
        for (index, item) in items.iter().enumerate() {
            let step = self.step(context.step, Label::Index(index));
            // `["--password", "..."]`
            let name_at = flag.take().or(context.name_at);
            self.node(item, Context { step, name_at, map_at: None, is_item: true, ..context });
            flag = item.scalar().filter(|at| {
                let text = events::text(self.events, *at);
                text.starts_with("--") && !text.contains(['=', ' '])
            });
        }
    }

    fn entries(&mut self, node: &Node, entries: &[(Node, Node)], context: Context) {
        let field = |name: &str| node.field(self.events, name).and_then(Node::scalar);
        let is_secret = field("kind").is_some_and(|at| events::text(self.events, at) == "Secret");
        // `{name: DB_PASSWORD, value: ...}`
        let named = field("name").or_else(|| field("key")).filter(|_| field("value").is_some());
        let is_environment = self.is_environment(context);
        // `{secretKey: password, remoteRef: ...}`
        let refers = REFERRING.iter().any(|name| node.field(self.events, name).is_some());
        let is_described = context.is_item && (field("name").is_some() || field("key").is_some());
        for (key, value) in entries {
            let at = key.scalar();
            let name = at.map_or("", |at| events::text(self.events, at)).to_owned();
            let named = named.filter(|_| name == "value");
            let label = match (at, named) {
                (_, Some(named)) => Label::Named(named),
                (Some(at), None) => Label::Key(at),
                (None, None) => Label::Complex,
            };
            let step = self.step(context.step, label);
            let key_context =
                Context { step, name_at: None, map_at: None, kind: Kind::Key, ..context };
            self.node(key, key_context);
            let kind = match context.kind {
                Kind::Key => Kind::Key,
                _ if is_environment && (named.is_some() || !is_described) => Kind::Variable,
                _ => Kind::Field,
            };
            let within = match (context.within, name.as_str()) {
                (Within::Other, "stringData") if is_secret => Within::SecretText,
                (Within::Other, "data") if is_secret => Within::SecretBase64,
                (Within::Other, _) if refers || judge::is_pointer(&name) => Within::Pointer,
                (within, _) => within,
            };
            let map_at = context.name_at.filter(|_| !context.is_item);
            let name_at = named.or(at);
            self.node(value, Context { step, name_at, map_at, kind, within, is_item: false });
        }
    }

    fn step(&mut self, parent: usize, label: Label) -> usize {
        self.steps.push(Step { parent, label });
        self.steps.len() - 1
    }

    /// Whether the map, or the list that it is an item of, is one of variables.
    fn is_environment(&self, context: Context) -> bool {
        let name = context.name_at.map_or("", |at| events::text(self.events, at));
        ENVIRONMENTS.contains(&name)
    }
}

/// The length of `NAME=`.
fn assignment(text: &str) -> usize {
    let Some((name, _)) = text.split_once('=') else { return 0 };
    let is_part = |c: char| c.is_ascii_alphanumeric() || c == '_';
    let is_name = !name.is_empty() && name.chars().all(is_part);
    if is_name { name.len() + 1 } else { 0 }
}
