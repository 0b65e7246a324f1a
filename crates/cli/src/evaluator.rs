//! `ganvas evaluator`

use std::{
    path::{Path, PathBuf},
    time::Instant,
};

use anyhow::bail;
use burn::tensor::backend::AutodiffBackend;
use ganvas_backend::{BackendError, BackendKind, Job, Selected};
use ganvas_data::{DatasetName, ImageSet, ImageSource, LoadOptions, Split};
use ganvas_evaluator::{
    ClassifierConfig, EvaluatorError, EvaluatorFile, EvaluatorInfo, FoundEvaluator, Judge, Recipe, TrainedOn, accuracy,
    evaluator_folder, evaluator_path, find_evaluator, own_names, standard_evaluator, standard_names, train_classifier,
};
use ganvas_training::BackendSection;
use serde_json::{Value, json};
use tracing::info;

use crate::{
    args::{EvaluatorCommand, TrainEvaluatorArguments},
    backends, data,
    ended::{Ended, UsageError},
    output::print_line,
    quoting::quoted,
    screen, shipped,
    words::duration,
};

pub fn evaluator(command: &EvaluatorCommand) -> anyhow::Result<Ended> {
    match command {
        EvaluatorCommand::List { json } => list(*json)?,
        EvaluatorCommand::Train(arguments) => train(arguments)?,
    }
    Ok(Ended::Done)
}

/// Finds an evaluator by a name or a file.
pub fn find(argument: &Path) -> Result<FoundEvaluator, EvaluatorError> {
    find_evaluator(argument, &evaluator_folder())
}

/// The name of the evaluator that belongs to a data set; synthetic and stacked digits are read by MNIST's.
pub fn default_name(dataset: DatasetName) -> DatasetName {
    match dataset {
        DatasetName::Synthetic | DatasetName::StackedMnist => DatasetName::Mnist,
        dataset => dataset,
    }
}

/// A backend by the word of an argument; otherwise the first of those named that this program has, or any.
pub fn backend(argument: Option<&Path>, preferred: Option<&BackendSection>) -> anyhow::Result<Selected> {
    let section = match argument {
        Some(argument) => shipped::backend(argument)?.backend,
        None => {
            let default = BackendSection::default();
            let is_compiled = |section: &&BackendSection| {
                let kind = section.kind.parse::<BackendKind>();
                kind.is_ok_and(BackendKind::is_compiled)
            };
            let any = BackendKind::ALL.into_iter().find(|kind| kind.is_compiled());
            let any = any.map(|kind| BackendSection {
                kind: kind.name().to_owned(),
                ..BackendSection::default()
            });
            let chosen = preferred.into_iter().chain([&default]).find(is_compiled).cloned();
            chosen.or(any).unwrap_or(default)
        }
    };
    backends::select(&section).map_err(|error: BackendError| match argument {
        Some(argument) => UsageError(format!("{}: {error}", quoted(argument))).into(),
        None => anyhow::Error::new(error),
    })
}

fn list(as_json: bool) -> anyhow::Result<()> {
    let folder = evaluator_folder();
    let mut found: Vec<FoundEvaluator> = standard_names()
        .filter_map(standard_evaluator)
        .collect::<Result<_, _>>()?;
    let mut damaged = Vec::new();
    for name in own_names(&folder) {
        let path = evaluator_path(&folder, &name);
        match EvaluatorFile::read(&path) {
            Ok(file) => found.push(FoundEvaluator {
                file,
                path,
                is_standard: false,
            }),
            Err(error) => damaged.push(error.to_string()),
        }
    }
    if as_json {
        let evaluators: Vec<Value> = found.iter().map(as_value).collect();
        print_line!("{}", json!({ "evaluators": evaluators, "damaged": damaged }));
        return Ok(());
    }
    print_line!("{:<16} {:<9} {:<9} {:<7} where", "evaluator", "hash", "images", "right");
    for evaluator in &found {
        let info = &evaluator.file.info;
        let [channels, height, width] = info.network.shape;
        let right = info
            .accuracy
            .map_or("-".to_owned(), |share| format!("{:.2} %", 100.0 * share));
        print_line!(
            "{:<16} {:<9} {:<9} {right:<7} {}",
            info.name,
            evaluator.file.short_hash(),
            format!("{channels}×{height}×{width}"),
            match evaluator.is_standard {
                true => "ships with ganvas".to_owned(),
                false => quoted(&evaluator.path).to_string(),
            }
        );
    }
    for reason in damaged {
        print_line!("  {reason}");
    }
    Ok(())
}

/// What JSON has of an evaluator.
fn as_value(evaluator: &FoundEvaluator) -> Value {
    let info = &evaluator.file.info;
    json!({
        "name": info.name,
        "hash": evaluator.file.hash(),
        "accuracy": info.accuracy,
        "shape": info.network.shape,
        "classes": info.network.classes,
        "data": info.data,
        "recipe": info.recipe,
        "backend": info.backend,
        "standard": evaluator.is_standard,
        "path": evaluator.path.to_string_lossy(),
    })
}

fn train(arguments: &TrainEvaluatorArguments) -> anyhow::Result<()> {
    let name = arguments.name;
    let data_dir = arguments.folder.data_dir.as_deref();
    data::check_folder(data_dir, name)?;
    if name == DatasetName::StackedMnist {
        bail!(UsageError(
            "stacked digits are read channel by channel, by the evaluator of mnist, which ships with ganvas".to_owned()
        ));
    }
    let out = out(arguments)?;
    let selected = backend(arguments.backend.as_deref(), None)?;
    let recipe = Recipe {
        seed: arguments.seed,
        epochs: arguments.epochs,
        ..Recipe::default()
    };
    let options = LoadOptions {
        data_dir: data_dir.map(Path::to_owned),
        seed: arguments.seed,
        ..LoadOptions::default()
    };
    let load = |split| {
        let _loading = screen::loading(name);
        ganvas_data::load(name, split, &options)
    };
    let (training, test) = (load(Split::Train)?, load(Split::Test)?);
    info!(
        "training an evaluator of {name} with backend {} on {}",
        selected.kind().name(),
        selected.info()
    );
    let start = Instant::now();
    let file = selected.run(TrainEvaluatorJob {
        name,
        training: &training,
        test: &test,
        recipe,
        backend: selected.kind().name(),
    })?;
    file.write(&out)?;
    let right = file.info.accuracy.unwrap_or_default();
    print_line!(
        "evaluator {}: {:.2} % of {name}'s {} test images read right, trained in {}: {}",
        file.name_and_hash(),
        100.0 * right,
        test.len(),
        duration(start.elapsed().as_secs()),
        quoted(&out)
    );
    Ok(())
}

/// Where the evaluator goes; refused before it is trained where that is taken.
fn out(arguments: &TrainEvaluatorArguments) -> anyhow::Result<PathBuf> {
    let is_own = arguments.out.is_some();
    let out = arguments
        .out
        .clone()
        .unwrap_or_else(|| evaluator_path(&evaluator_folder(), arguments.name.as_str()));
    if standard_names().any(|name| name == arguments.name.as_str()) && !is_own {
        bail!(UsageError(format!(
            "the evaluator `{}` ships with ganvas, so that scores under its name compare; another one goes to a file with \
             `--out FILE.safetensors`",
            arguments.name
        )));
    }
    if !out
        .extension()
        .is_some_and(|end| end.eq_ignore_ascii_case("safetensors"))
    {
        bail!(UsageError(format!(
            "--out {}: expected a name that ends in .safetensors",
            quoted(&out)
        )));
    }
    if out.exists() && !arguments.force {
        bail!(UsageError(format!(
            "{} exists already; name another file with `--out`, or replace it with `--force`",
            quoted(&out)
        )));
    }
    Ok(out)
}

/// Trains a classifier and reads the test images with it.
struct TrainEvaluatorJob<'a> {
    name: DatasetName,
    training: &'a ImageSet,
    test: &'a ImageSet,
    recipe: Recipe,
    backend: &'a str,
}

impl Job for TrainEvaluatorJob<'_> {
    type Output = Result<EvaluatorFile, EvaluatorError>;

    fn run<B: AutodiffBackend>(self, device: B::Device) -> Self::Output {
        let images: &dyn ImageSource = self.training;
        let updates = self.recipe.epochs * images.len().div_ceil(self.recipe.batch_size) as u64;
        let progress = screen::progress(updates, "training the evaluator");
        let classifier = train_classifier::<B>(images, &self.recipe, &device, &mut |done, _| progress.reach(done))?;
        drop(progress);
        let network = ClassifierConfig {
            shape: images.shape(),
            classes: images.classes(),
        };
        let judge = Judge::new(classifier.clone(), network, &device);
        let progress = screen::progress(self.test.len() as u64, "reading test images");
        let seen = judge.observe_all(self.test, &mut |done| progress.reach(done as u64))?;
        let info = EvaluatorInfo {
            version: EvaluatorInfo::VERSION,
            name: self.name.to_string(),
            network,
            recipe: self.recipe,
            data: TrainedOn::of(images)?,
            backend: self.backend.to_owned(),
            accuracy: Some(accuracy(&seen, self.test)?),
        };
        EvaluatorFile::new(info, &classifier)
    }
}
