//! `ganvas config explain` and `ganvas config schema`: the keys of experiment files, as their types document them.

use std::fmt::Write;

use ganvas_training::{
    ExplainedKey, ExplainedSection, backend_file_schema, experiment_schema, explained_backend_sections,
    explained_sections, nearest,
};

use crate::{
    args::ExplainArguments,
    ended::{Ended, UsageError},
    output::{print_line, put},
};

/// Terminals are usually 80 columns wide.
const WIDTH: usize = 79;

pub fn explain(arguments: &ExplainArguments) -> anyhow::Result<Ended> {
    let sections = match &arguments.key {
        Some(key) => select(explained_sections(), key)?,
        None => explained_sections(),
    };
    if arguments.markdown {
        put(format_args!("{}", markdown(&sections, arguments.key.is_none())));
    } else if arguments.json {
        print_line!("{}", serde_json::to_string_pretty(&sections)?);
    } else {
        let texts: Vec<String> = sections.iter().map(in_words).collect();
        put(format_args!("{}", texts.join("\n")));
    }
    Ok(Ended::Done)
}

pub fn schema(of_backend_file: bool) -> anyhow::Result<Ended> {
    let schema = match of_backend_file {
        true => backend_file_schema(),
        false => experiment_schema(),
    };
    print_line!("{}", serde_json::to_string_pretty(&schema)?);
    Ok(Ended::Done)
}

/// The sections that `wanted` names, with those inside them, or the one key.
fn select(sections: Vec<ExplainedSection>, wanted: &str) -> Result<Vec<ExplainedSection>, UsageError> {
    let name = wanted.trim().trim_start_matches('[').trim_end_matches(']');
    let inside = format!("{name}.");
    let is_section = |section: &ExplainedSection| section.name == name || section.name.starts_with(&inside);
    if !name.is_empty() && sections.iter().any(is_section) {
        return Ok(sections.into_iter().filter(|section| is_section(section)).collect());
    }
    let holder = sections
        .iter()
        .find(|section| section.keys.iter().any(|key| key.key == name));
    if let Some(section) = holder {
        let keys = section.keys.iter().filter(|key| key.key == name).cloned().collect();
        return Ok(vec![ExplainedSection {
            keys,
            ..section.clone()
        }]);
    }
    Err(UsageError(unknown(&sections, name)))
}

/// Names the keys that may have been meant: those of this last word, or the nearest one.
fn unknown(sections: &[ExplainedSection], name: &str) -> String {
    let keys = sections.iter().flat_map(|section| &section.keys).map(|key| &*key.key);
    let names = sections.iter().map(|section| &*section.name).chain(keys);
    let names: Vec<&str> = names.filter(|name| !name.is_empty()).collect();
    let last = format!(".{name}");
    let mut meant: Vec<String> = names
        .iter()
        .filter(|known| known.ends_with(&last))
        .map(|known| format!("`{known}`"))
        .collect();
    meant.dedup();
    if meant.is_empty() {
        let near = nearest(name, names.iter().copied());
        // A slip in the last word of a key is small beside the whole key, but large beside that word.
        let words = names.iter().filter_map(|known| known.rsplit('.').next());
        let near = near.or_else(|| {
            let word = nearest(name, words)?;
            let known = names
                .iter()
                .find(|known| known.rsplit('.').next() == Some(word.as_str()))?;
            Some((*known).to_owned())
        });
        meant.extend(near.map(|near| format!("`{near}`")));
    }
    match meant.is_empty() {
        true => format!("unknown key `{name}`; `ganvas config explain` without a key lists all"),
        false => format!("unknown key `{name}`; did you mean {}?", meant.join(" or ")),
    }
}

/// The last word of a dotted key.
fn last_word(key: &ExplainedKey) -> &str {
    key.key.rsplit('.').next().unwrap_or(&key.key)
}

/// What kind of value a key takes.
fn kind(key: &ExplainedKey) -> &str {
    if key.choices.is_empty() {
        key.kind
    } else {
        "one of these"
    }
}

/// For which families a key is, if not for all.
fn families(key: &ExplainedKey) -> String {
    let names: Vec<String> = key.families.iter().map(|name| format!("\"{name}\"")).collect();
    names.join(" or ")
}

/// The words that a key takes, unless they were said a moment ago: of the same key, for another family.
fn own_choices(section: &ExplainedSection, index: usize) -> &[(String, String)] {
    let key = section.keys.get(index);
    let before = index.checked_sub(1).and_then(|before| section.keys.get(before));
    match (before, key) {
        (Some(before), Some(key)) if before.key == key.key && before.choices == key.choices => &[],
        (_, Some(key)) => &key.choices,
        (_, None) => &[],
    }
}

fn in_words(section: &ExplainedSection) -> String {
    let mut text = match &*section.name {
        "" => "at the top of the file\n".to_owned(),
        name => format!("[{name}]\n"),
    };
    if !section.name.is_empty() {
        wrap(&mut text, 2, &section.about);
    }
    for (index, key) in section.keys.iter().enumerate() {
        let value = key
            .default
            .as_ref()
            .map(|value| format!(" = {value}"))
            .unwrap_or_default();
        let mut notes = vec![kind(key)];
        if key.required {
            notes.push("has to be given");
        } else if key.default.is_none() {
            notes.push("not given by default");
        }
        let families = match families(key) {
            names if names.is_empty() => names,
            names => format!("network = {names}"),
        };
        if !families.is_empty() {
            notes.push(&families);
        }
        let _ = write!(text, "\n  {}{value}  ({})\n", last_word(key), notes.join("; "));
        wrap(&mut text, 6, &key.about);
        for (choice, about) in own_choices(section, index) {
            wrap(&mut text, 6, &format!("\"{choice}\": {about}"));
        }
    }
    text
}

/// Adds a paragraph, each line indented and within the width.
fn wrap(text: &mut String, indent: usize, paragraph: &str) {
    let mut column = 0;
    for word in paragraph.split_whitespace() {
        let length = word.chars().count();
        if column == 0 {
            let _ = write!(text, "{:indent$}{word}", "");
            column = indent + length;
        } else if column + 1 + length > WIDTH {
            let _ = write!(text, "\n{:indent$}{word}", "");
            column = indent + length;
        } else {
            let _ = write!(text, " {word}");
            column += 1 + length;
        }
    }
    if column > 0 {
        text.push('\n');
    }
}

const HEAD: &str = "\
# Configuration

Every key of experiment files, and of the files that `--backend` takes. This page is what the program says of itself. Do not
edit it, but the comments of the types in `crates/training/src/experiment` and `crates/model/src`, and make it anew:

```sh
cargo run --release -- config explain --markdown > docs/configuration.md
cargo run --release -- config schema > configs/schema.json
cargo run --release -- config schema --backend-file > configs/backend.schema.json
```

`ganvas config explain training.epochs` shows one key, `ganvas config explain training` a section. Editors that know TOML
schemas (taplo, Even Better TOML) complete and check the files through the `#:schema` in their first lines.
";

fn markdown(sections: &[ExplainedSection], is_whole: bool) -> String {
    let mut text = String::new();
    if is_whole {
        text.push_str(HEAD);
    }
    sections.iter().for_each(|section| table(&mut text, section));
    if is_whole {
        text.push_str("\n# Backend files\n\nThe files of `configs/backends/`: a `[backend]` as above, and\n");
        let of_backend = explained_backend_sections();
        let own = of_backend
            .iter()
            .filter(|section| !["", "backend"].contains(&&*section.name));
        own.for_each(|section| table(&mut text, section));
    }
    text
}

/// A section as a heading and a table.
fn table(text: &mut String, section: &ExplainedSection) {
    let _ = match &*section.name {
        "" => write!(text, "\n## At the top of the file\n"),
        name => write!(text, "\n## `[{name}]`\n\n{}\n", section.about),
    };
    if section.keys.is_empty() {
        return;
    }
    text.push_str("\n| key | value | default | meaning |\n|---|---|---|---|\n");
    for (index, key) in section.keys.iter().enumerate() {
        let default = match (&key.default, key.required) {
            (Some(value), _) => format!("`{value}`"),
            (None, true) => "has to be given".to_owned(),
            (None, false) => "not given".to_owned(),
        };
        let mut about = key.about.clone();
        if !key.families.is_empty() {
            let _ = write!(
                about,
                " Only with `network = {}`.",
                families(key).replace(" or ", "` or `")
            );
        }
        for (choice, meaning) in own_choices(section, index) {
            let _ = write!(about, "<br>`\"{choice}\"`: {meaning}");
        }
        let _ = writeln!(
            text,
            "| `{}` | {} | {default} | {} |",
            last_word(key),
            kind(key),
            about.replace('|', "\\|")
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paragraphs_stay_within_the_width() {
        let mut text = String::new();
        wrap(&mut text, 6, &"word ".repeat(40));
        assert!(text.lines().count() > 2 && text.ends_with("word\n"), "{text}");
        assert!(
            text.lines()
                .all(|line| line.starts_with("      word") && line.len() <= WIDTH)
        );
    }

    #[test]
    fn strangers_get_the_nearest_keys() {
        for (name, meant) in [
            ("training.epoch", "did you mean `training.epochs`?"),
            ("epochs", "did you mean `training.epochs`?"),
            ("epoch", "did you mean `training.epochs`?"),
            ("trainig", "did you mean `training`?"),
            (
                "learning_rate",
                "`optimizer.generator.learning_rate` or `optimizer.discriminator.learning_rate` or `schedule.learning_rate`?",
            ),
            ("xylophone", "lists all"),
        ] {
            let message = unknown(&explained_sections(), name);
            assert!(message.contains(meant), "{message}");
        }
    }
}
