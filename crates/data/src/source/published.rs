//! Whether files are those that are published under a name, and what to say where they are not.

use std::path::{Path, PathBuf};

use crate::{DataFile, DatasetName, ImageSet, ImageSource, Split};

/// What the sums of a file say.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// It is the published file, or holds the same.
    Published,
    /// It is a decompressed copy, and the sum of the published content is not known.
    Unjudged { path: PathBuf },
    /// It is another file.
    Other(Mismatch),
}

/// A file that is not what its name says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Mismatch {
    pub path: PathBuf,
    /// The MD5 sum of the published file or, for a decompressed copy, of its content, where that is known.
    pub expected: Option<&'static str>,
    /// That of the file.
    pub found: String,
    /// The data set as which it is published.
    pub published_as: Option<DatasetName>,
}

impl Verdict {
    /// Compares a file with the published one by the sum of the gzip file, where it is one, and that of the content, which
    /// is taken only where it is needed.
    pub(crate) fn of(
        path: &Path,
        published: &DataFile,
        gzip_sum: Option<String>,
        content_sum: impl FnOnce() -> String,
    ) -> Self {
        if gzip_sum.as_deref() == Some(published.md5) {
            return Self::Published;
        }
        let content = content_sum();
        if published.content_md5 == Some(&*content) {
            return Self::Published;
        }
        let of_sum = |sum: &String| DatasetName::of_sum(sum);
        let published_as = gzip_sum.as_ref().and_then(of_sum).or_else(|| of_sum(&content));
        let should_be_gzip = gzip_sum.is_some() || path.extension().is_some_and(|end| end == "gz");
        let expected = if should_be_gzip {
            Some(published.md5)
        } else {
            published.content_md5
        };
        if expected.is_none() && published_as.is_none() {
            return Self::Unjudged { path: path.to_owned() };
        }
        Self::Other(Mismatch {
            path: path.to_owned(),
            expected,
            found: gzip_sum.unwrap_or(content),
            published_as,
        })
    }
}

/// Says, once for a set that was read, that its files are not those that its name stands for.
pub(crate) fn report(name: DatasetName, split: Split, set: &ImageSet, verdicts: &[Verdict]) {
    for verdict in verdicts {
        if let Verdict::Unjudged { path } = verdict {
            tracing::debug!(
                "{}: cannot be compared with the published file, whose sum is known only compressed (.gz)",
                path.display()
            );
        }
    }
    if let Some(warning) = warning(name, split, set.len(), verdicts) {
        tracing::warn!("{warning}");
    }
}

/// What [`report`] warns of.
fn warning(name: DatasetName, split: Split, count: usize, verdicts: &[Verdict]) -> Option<String> {
    let others: Vec<&Mismatch> = verdicts
        .iter()
        .filter_map(|verdict| match verdict {
            Verdict::Other(mismatch) => Some(mismatch),
            _ => None,
        })
        .collect();
    let published = name.split_len(split);
    let fewer = if count == published {
        String::new()
    } else {
        format!("; it holds {count} {split} images instead of {published}")
    };
    let Some(first) = others.first() else {
        return (!fewer.is_empty()).then(|| format!("{name}{}", fewer.replacen("; it", "", 1)));
    };
    let paths: Vec<String> = others.iter().map(|other| other.path.display().to_string()).collect();
    let paths = paths.join(" and ");
    let what = match (others.len(), first.published_as) {
        (1, Some(other)) if other == name => format!("{paths} is another file of {name} than its name says"),
        (1, Some(other)) => format!("{paths} is the file of {other}, not of {name}"),
        (1, None) => format!("{paths} is not the published file of {name}"),
        (_, Some(other)) if other != name => format!("{paths} are the files of {other}, not of {name}"),
        _ => format!("{paths} are not the published files of {name}"),
    };
    let expected = match first.expected {
        Some(expected) => format!("expected MD5 {expected}, found {}", first.found),
        None => format!("found MD5 {}", first.found),
    };
    let next = match first.published_as {
        Some(_) => format!("remove them, and fetch {name} anew"),
        None => format!(
            "if they should be {name}, they are damaged: fetch them anew; images of your own are welcome here, but every \
             report calls them {name}: only a program that gives the library an ImageSource can name them otherwise"
        ),
    };
    Some(format!("{what} ({expected}{fewer}); they are used as they are; {next}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    const MNIST: DatasetName = DatasetName::Mnist;

    fn verdict(name: DatasetName, gzip_sum: Option<&str>, content_sum: &str) -> Verdict {
        let gzip_sum = gzip_sum.map(str::to_owned);
        Verdict::of(Path::new("file"), &name.files()[0], gzip_sum, || content_sum.to_owned())
    }

    fn said(name: DatasetName, count: usize, verdict: &Verdict) -> String {
        warning(name, Split::Train, count, std::slice::from_ref(verdict)).unwrap_or_default()
    }

    #[test]
    fn the_published_file_is_known_by_either_sum() {
        let file = &MNIST.files()[0];
        assert_eq!(verdict(MNIST, Some(file.md5), "unused"), Verdict::Published);
        let content = file.content_md5.unwrap();
        assert_eq!(verdict(MNIST, Some("compressed anew"), content), Verdict::Published);
        assert_eq!(verdict(MNIST, None, content), Verdict::Published);
        assert_eq!(said(MNIST, 60_000, &Verdict::Published), "");
    }

    #[test]
    fn the_sum_of_the_content_is_taken_only_where_it_is_needed() {
        let file = &MNIST.files()[0];
        let found = Verdict::of(Path::new("file"), file, Some(file.md5.to_owned()), || {
            panic!("needless")
        });
        assert_eq!(found, Verdict::Published);
    }

    #[test]
    fn files_of_another_set_are_named() {
        let file = &MNIST.files()[0];
        for found in [
            verdict(DatasetName::Kmnist, Some(file.md5), "x"),
            verdict(DatasetName::Kmnist, Some("x"), file.content_md5.unwrap()),
            verdict(DatasetName::Kmnist, None, file.content_md5.unwrap()),
        ] {
            let text = said(DatasetName::Kmnist, 60_000, &found);
            assert!(text.starts_with("file is the file of mnist, not of kmnist ("), "{text}");
            assert!(text.contains("used as they are"), "{text}");
        }
    }

    #[test]
    fn strangers_are_reported_with_both_sums_and_their_count() {
        let text = said(MNIST, 2000, &verdict(MNIST, Some("abc"), "def"));
        for part in [
            "not the published file of mnist",
            "expected MD5 f68b3c2dcbeaaa9fbdd348bbdeb94873, found abc",
            "2000 train images instead of 60000",
            "ImageSource",
        ] {
            assert!(text.contains(part), "{text}");
        }
        let text = said(MNIST, 60_000, &verdict(MNIST, None, "def"));
        assert!(
            text.contains("expected MD5 6bbc9ace898e44ae57da46a324031adb, found def"),
            "{text}"
        );
    }

    #[test]
    fn a_decompressed_copy_without_a_known_sum_is_not_judged() {
        let found = verdict(DatasetName::Kmnist, None, "x");
        assert!(matches!(found, Verdict::Unjudged { .. }));
        assert_eq!(said(DatasetName::Kmnist, 60_000, &found), "");
        assert_eq!(
            said(DatasetName::Kmnist, 7, &found),
            "kmnist holds 7 train images instead of 60000"
        );
    }
}
