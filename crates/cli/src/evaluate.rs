//! `ganvas evaluate`

mod compare;
mod own;
mod pairs;
mod real;
mod report;
mod subjects;

use std::path::Path;

use anyhow::bail;
use ganvas_data::DatasetName;
use ganvas_evaluator::{FoundEvaluator, Metric};
use ganvas_model::NetworkSettings;
use ganvas_training::Experiment;

use self::{
    compare::CompareJob,
    pairs::{draw, picture},
    real::RealImages,
    report::Report,
    subjects::Subject,
};
use crate::{
    args::EvaluateArguments,
    ended::{Ended, UsageError},
    evaluator,
    output::print_line,
    quoting::quoted,
    screen,
};

/// Images that are judged where nobody says how many.
const COUNT: usize = 10_000;

/// The same for stacked digits, whose modes are counted in so many (PacGAN, arXiv:1712.04086).
const STACKED_COUNT: usize = 26_000;

pub fn evaluate(arguments: &EvaluateArguments) -> anyhow::Result<Ended> {
    let subjects = subjects::find(arguments)?;
    let backend = || {
        let mut experiments = subjects.iter().filter_map(Subject::experiment);
        evaluator::backend(
            arguments.backend.as_deref(),
            experiments.next().map(|experiment| &experiment.backend),
        )
    };
    if own::runs(arguments, &subjects) {
        let selected = backend()?;
        let picture = picture(arguments)?;
        return own::evaluate(arguments, &subjects, &selected, picture).map(|()| Ended::Done);
    }
    let chosen = arguments.evaluator.as_deref().map(evaluator::find).transpose()?;
    let name = data_set(arguments, &subjects, chosen.as_ref())?;
    let found = match (chosen, name) {
        (Some(found), _) => found,
        (None, Some(name)) => default_evaluator(name)?,
        (None, None) => bail!(UsageError(
            "no evaluator belongs to these real images: name one with `--evaluator`; `ganvas evaluator list` shows which there are"
                .to_owned()
        )),
    };
    let selected = backend()?;
    let mut picture = picture(arguments)?;
    let is_stacked = name == Some(DatasetName::StackedMnist);
    let metrics = match arguments.metrics.as_slice() {
        // Neighbours among so many images of so many features would take minutes.
        [] if is_stacked => vec![Metric::Modes, Metric::Fid, Metric::Kid],
        [] => {
            let is_conditional = |experiment: &Experiment| experiment.model.is_conditional();
            let asks = subjects.iter().filter_map(Subject::experiment).any(is_conditional);
            let all = Metric::ALL.into_iter();
            all.filter(|metric| asks || !metric.is_of_asked_classes()).collect()
        }
        metrics => metrics.to_vec(),
    };
    if !is_stacked && arguments.metrics.contains(&Metric::Modes) {
        bail!(UsageError(
            "`modes` are counted in stacked digits; compare with them by `--real stacked-mnist`".to_owned()
        ));
    }
    let count = match (arguments.count, is_stacked) {
        (Some(count), _) => count as usize,
        (None, true) => STACKED_COUNT,
        (None, false) => COUNT,
    };
    let real = RealImages::load(arguments, name, &subjects, count)?;
    if real.training.is_none() && arguments.metrics.contains(&Metric::Memorized) {
        bail!(UsageError(format!(
            "`memorized` needs training images, and nothing is known of any beside {}; name a data set with `--real`",
            real.name
        )));
    }
    if real.training.is_none() && picture.is_some() {
        bail!(UsageError(format!(
            "--neighbours needs training images, and nothing is known of any beside {}; name a data set with `--real`",
            real.name
        )));
    }
    let looks_for_copies = metrics.contains(&Metric::Memorized) || picture.is_some();
    let total =
        real.to_look_at(count, looks_for_copies) + subjects.iter().map(|subject| subject.at_most(count)).sum::<usize>();
    let progress = screen::progress(total as u64, "looking at images");
    let compared = selected.run(CompareJob {
        evaluator: &found,
        real: &real,
        subjects: &subjects,
        metrics: &metrics,
        count,
        seed: arguments.seed,
        wants_pairs: picture.is_some(),
        progress: &progress,
    })?;
    drop(progress);
    if let (Some(picture), Some(pairs)) = (picture.take(), &compared.pairs) {
        draw(picture, pairs)?;
    }
    let report = Report {
        evaluator: &found,
        real: &real,
        compared,
        seed: arguments.seed,
        backend: selected.kind().name(),
    };
    match arguments.json {
        true => report.print_json(),
        false => {
            report.print_table();
            if let Some(path) = &arguments.neighbours {
                print_line!(
                    "\nnearest to training images, each left of the one that it is nearest to: {}",
                    quoted(path)
                );
            }
        }
    }
    Ok(Ended::Done)
}

/// The data set that the real images are of, where they are of one that has a name.
fn data_set(
    arguments: &EvaluateArguments,
    subjects: &[Subject],
    evaluator: Option<&FoundEvaluator>,
) -> anyhow::Result<Option<DatasetName>> {
    if let Some(real) = &arguments.real {
        // A name comes before a file that is called like it.
        let name = real.to_str().and_then(|text| text.parse().ok());
        return match (name, real.exists()) {
            (Some(name), _) => Ok(Some(name)),
            (None, true) => Ok(None),
            (None, false) => bail!(UsageError(format!(
                "--real {}: expected {}, or a file or folder of images; there is nothing of this name",
                quoted(real),
                DatasetName::ALL.map(|name| format!("`{name}`")).join(", ")
            ))),
        };
    }
    let mut names: Vec<DatasetName> = Vec::new();
    for experiment in subjects.iter().filter_map(Subject::experiment) {
        if let Some(path) = &experiment.data.path {
            bail!(UsageError(format!(
                "a run was trained on images of its own, {}: name the real images with `--real`; without `--evaluator`, and without \
                 other samples beside it, its images are compared with its own by their pixels",
                quoted(Path::new(path))
            )));
        }
        let name = experiment.data.dataset.parse()?;
        if !names.contains(&name) {
            names.push(name);
        }
    }
    match (names.as_slice(), evaluator) {
        ([name], _) => Ok(Some(*name)),
        ([], Some(evaluator)) => match evaluator.file.info.data.name.parse() {
            Ok(name) => Ok(Some(name)),
            Err(_) => bail!(UsageError("name the real images with `--real`".to_owned())),
        },
        ([], None) => bail!(UsageError(
            "samples do not say what they are samples of: name the real images with `--real`, such as `--real mnist`"
                .to_owned()
        )),
        _ => bail!(UsageError(
            "the runs are of several data sets; evaluate them one set at a time, or name the real images with `--real`"
                .to_owned()
        )),
    }
}

/// The evaluator of a data set: the one that ships, or the user's own of this name.
fn default_evaluator(name: DatasetName) -> anyhow::Result<FoundEvaluator> {
    let wanted = evaluator::default_name(name);
    evaluator::find(Path::new(wanted.as_str())).map_err(|error| {
        UsageError(format!(
            "{error}; `ganvas evaluator train {wanted}` makes one for these images, and `--evaluator` takes another"
        ))
        .into()
    })
}
