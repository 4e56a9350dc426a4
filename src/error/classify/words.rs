//! Recognises a phrase whatever its casing, punctuation and quoting.

/// The longest stretch that a `*` skips: a name in quotes and a few words, not half a paragraph.
const GAP: usize = 10;

struct Word {
    text: String,
    /// Neither quoted nor part of a longer name, so that it means what it says: in `Secret group
    /// 'api-key' already exists` the key is no key.
    bare: bool,
}

/// One text, cut into sentences of words.
pub(super) struct Said {
    sentences: Vec<Vec<Word>>,
    /// Letters and digits only: finds a code such as `ObjectIsBeingDeleted` however it is spelt.
    squeezed: String,
}

impl Said {
    pub(super) fn new(text: &str) -> Self {
        let mut sentences = vec![Vec::new()];
        for chunk in text.split_whitespace() {
            let trimmed = chunk.trim_matches(|it: char| !it.is_alphanumeric());
            let (before, after) = chunk.split_once(trimmed).unwrap_or((chunk, ""));
            let ends = after.contains(['.', '!', '?', ';']);
            if let Some(sentence) = sentences.last_mut() {
                if names_underscore(chunk) {
                    sentence.push(Word { text: "underscore".to_owned(), bare: true });
                }
                let quoted = is_quote(before.chars().last()) && is_quote(after.chars().next());
                push_words(sentence, trimmed, quoted);
            }
            if ends {
                sentences.push(Vec::new());
            }
        }
        let squeezed = text.chars().filter(|it| it.is_alphanumeric()).flat_map(char::to_lowercase);
        Self { sentences, squeezed: squeezed.collect() }
    }

    pub(super) fn has_code(&self, code: &str) -> bool {
        self.squeezed.contains(code)
    }

    /// Whether one sentence holds one of the `phrases` and none of the `unless` words.
    ///
    /// In a phrase `a|b` is either word, `#` any number, `*` any few words except those of
    /// `never_between`.
    pub(super) fn says(&self, phrases: &[&str], never_between: &[&str], unless: &[&str]) -> bool {
        self.sentences.iter().any(|sentence| {
            phrases.iter().any(|phrase| finds(sentence, phrase, never_between))
                && !sentence.iter().any(|word| is_listed(word, unless))
        })
    }

    pub(super) fn mentions(&self, words: &[&str]) -> bool {
        self.sentences.iter().flatten().any(|word| words.contains(&word.text.as_str()))
    }
}

/// Whether an underscore stands by itself, as in `(_)` or `'_'`: then the sign is what the text is
/// about.
fn names_underscore(chunk: &str) -> bool {
    let mut after_letter = false;
    let mut characters = chunk.chars().peekable();
    while let Some(character) = characters.next() {
        let before_letter = characters.peek().is_some_and(|next| next.is_alphanumeric());
        if character == '_' && !after_letter && !before_letter {
            return true;
        }
        after_letter = character.is_alphanumeric();
    }
    false
}

fn is_quote(character: Option<char>) -> bool {
    character.is_some_and(|it| "'\"`‘’“”«»".contains(it))
}

/// `secret-group`, `secretGroup` and `SECRET_GROUP` are all two words; an apostrophe vanishes
/// (`doesn't`).
fn push_words(sentence: &mut Vec<Word>, chunk: &str, quoted: bool) {
    let mut texts = vec![String::new()];
    let mut after_lower = false;
    for character in chunk.chars() {
        if matches!(character, '\'' | '’') {
            continue;
        }
        let splits = !character.is_alphanumeric() || (after_lower && character.is_uppercase());
        if splits {
            texts.push(String::new());
        }
        if character.is_alphanumeric()
            && let Some(text) = texts.last_mut()
        {
            text.extend(character.to_lowercase());
        }
        after_lower = character.is_lowercase();
    }
    texts.retain(|text| !text.is_empty());
    let bare = !quoted && texts.len() == 1;
    for text in texts {
        // The product's name is not about a key.
        if text == "vault"
            && let Some(last) = sentence.last_mut()
            && last.text == "key"
        {
            "keyvault".clone_into(&mut last.text);
        } else {
            sentence.push(Word { text, bare });
        }
    }
}

fn finds(sentence: &[Word], phrase: &str, never_between: &[&str]) -> bool {
    let parts: Vec<&str> = phrase.split(' ').collect();
    (0..sentence.len()).any(|start| {
        let (before, words) = sentence.split_at(start);
        fits(words, &parts, never_between)
            && !(begins_with_a_thing(&parts) && is_part_of(before, never_between))
    })
}

/// Whether what comes next only says more of one of `owners`, which is then what the sentence is about: in
/// `Workspace with secret x is being deleted` it is not the secret.
fn is_part_of(before: &[Word], owners: &[&str]) -> bool {
    const DETERMINERS: &[&str] = &["a", "an", "its", "our", "that", "the", "these", "this", "your"];
    const LINKS: &[&str] = &[
        "by",
        "containing",
        "contains",
        "for",
        "from",
        "has",
        "having",
        "holding",
        "of",
        "references",
        "referencing",
        "to",
        "use",
        "uses",
        "using",
        "with",
    ];
    // A name, or `that`, may stand between the owner and the link.
    const NEAR: usize = 2;
    let mut words =
        before.iter().rev().skip_while(|word| DETERMINERS.contains(&word.text.as_str()));
    words.next().is_some_and(|word| LINKS.contains(&word.text.as_str()))
        && words.take(NEAR).any(|word| is_listed(word, owners))
}

fn begins_with_a_thing(parts: &[&str]) -> bool {
    let is_thing = |choice| matches!(choice, "secret" | "object" | "resource" | "group");
    parts.first().is_some_and(|part| part.split('|').any(is_thing))
}

fn fits(words: &[Word], parts: &[&str], never_between: &[&str]) -> bool {
    let Some((part, later)) = parts.split_first() else {
        return true;
    };
    if *part == "*" {
        for skipped in 0..=GAP.min(words.len()) {
            if fits(words.get(skipped..).unwrap_or_default(), later, never_between) {
                return true;
            }
            if words.get(skipped).is_some_and(|word| is_listed(word, never_between)) {
                return false;
            }
        }
        return false;
    }
    words
        .split_first()
        .is_some_and(|(word, rest)| is_word(part, &word.text) && fits(rest, later, never_between))
}

fn is_listed(word: &Word, singulars: &[&str]) -> bool {
    let text = word.text.as_str();
    let singular = text.strip_suffix('s').unwrap_or(text);
    word.bare && (singulars.contains(&text) || singulars.contains(&singular))
}

fn is_word(part: &str, word: &str) -> bool {
    if part == "#" {
        return word.bytes().all(|byte| byte.is_ascii_digit());
    }
    part.split('|').any(|choice| choice == word)
}
