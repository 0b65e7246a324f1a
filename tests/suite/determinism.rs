//! Equal runs give equal bits, resumed or not; random numbers are the same on every backend.

use std::{
    fs,
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use burn::tensor::Tensor;
use ganvas_data::{ImageSource, LoadOptions, Purpose, Split, keyed_rng};
use ganvas_model::{
    AdversarialLoss, DcganConfig, ImageShape, Init, NetworkConfig, Networks, ObjectiveSettings as _, named_tensors,
};
use ganvas_training::{
    Checkpoint, Evaluators, Experiment, MetricsLine, Observer, Outcome, Overrides, PixelStatistics, ResumePoint,
    RunDirectory, TrainingError, parse_experiment, resume_point, train,
};
use sha2::{Digest, Sha256};

use crate::{B, Inner, KIND, ON_CUBECL, device};

/// Stops a run after so many steps.
pub struct StopAfter(pub u64);

impl Observer for StopAfter {
    fn stepped(&mut self, _step: u64) {
        self.0 = self.0.saturating_sub(1);
    }
    fn wants_to_stop(&mut self) -> bool {
        self.0 == 0
    }
}

/// A small experiment: 40 images in batches of 16, so that epochs end in a short batch.
pub fn experiment(set: &[&str]) -> Experiment {
    experiment_with("network = \"dcgan\"\nlatent_size = 8\nbase_channels = 4", set)
}

/// The same with other networks.
pub fn experiment_with(model: &str, set: &[&str]) -> Experiment {
    let text = format!(
        "seed = 5\n[backend]\nkind = \"{KIND}\"\n[data]\nbatch_size = 16\ncount = 40\n[model]\n{model}\n\
         [training]\nepochs = 4\n[ema]\ndecay = 0.9\n[logging]\nevery = 2\n\
         [samples]\nevery = 5\ncount = 6\n[checkpoint]\nevery = 4\nkeep = 2\n"
    );
    let overrides = Overrides {
        backend: None,
        set: set.iter().map(|argument| argument.to_string()).collect(),
    };
    parse_experiment(&text, "test.toml", "test", &overrides).unwrap()
}

pub fn images(experiment: &Experiment) -> Arc<dyn ImageSource> {
    let options = LoadOptions {
        data_dir: None,
        seed: experiment.seed,
        count: experiment.data.count,
        image_size: experiment.data.image_size,
    };
    let dataset = experiment.data.dataset.parse().unwrap();
    Arc::new(ganvas_data::load(dataset, Split::Train, &options).unwrap())
}

/// Trains as an experiment says, with pixel statistics where it evaluates.
fn train_as(
    experiment: &Experiment,
    images: &Arc<dyn ImageSource>,
    run: &RunDirectory,
    resume: Option<&ResumePoint>,
    steps: u64,
) -> Result<Outcome, TrainingError> {
    let statistics = || PixelStatistics::new(&**images, experiment.seed, experiment.evaluation.count).unwrap();
    let mut with_statistics: [_; 1] = [Box::new(statistics()) as Box<_>];
    let evaluators: &mut Evaluators<B, NetworkConfig> = match experiment.evaluation.every {
        0 => &mut [],
        _ => &mut with_statistics,
    };
    train::<B, _, _>(
        experiment,
        images,
        evaluators,
        run,
        resume,
        &device(),
        &mut StopAfter(steps),
    )
}

/// Trains from the start into a folder, stopping after `steps` at the latest.
pub fn begin(experiment: &Experiment, folder: &Path, steps: u64) -> Result<Outcome, TrainingError> {
    let run = RunDirectory::create(Some(folder), &experiment.name)?;
    train_as(experiment, &images(experiment), &run, None, steps)
}

/// Goes on with the newest checkpoint.
pub fn go_on(experiment: &Experiment, folder: &Path, steps: u64) -> Result<Outcome, TrainingError> {
    go_on_with(experiment, &images(experiment), folder, steps)
}

/// Goes on with the newest checkpoint and these images.
pub fn go_on_with(
    experiment: &Experiment,
    images: &Arc<dyn ImageSource>,
    folder: &Path,
    steps: u64,
) -> Result<Outcome, TrainingError> {
    let run = RunDirectory::open(Some(folder), &experiment.name)?;
    let point = resume_point(&run, experiment, &**images)?;
    train_as(experiment, images, &run, Some(&point), steps)
}

/// Every tensor file of the newest checkpoint.
fn final_files(folder: &Path) -> Vec<(String, Vec<u8>)> {
    let checkpoint = Checkpoint::find(folder).unwrap();
    let mut files: Vec<_> = fs::read_dir(checkpoint.path())
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "safetensors"))
        .map(|path| {
            (
                path.file_name().unwrap().to_string_lossy().into_owned(),
                fs::read(&path).unwrap(),
            )
        })
        .collect();
    files.sort();
    files
}

/// The metrics without the speed, which no two runs share.
pub fn metrics(folder: &Path) -> Vec<MetricsLine> {
    fs::read_to_string(folder.join("metrics.jsonl"))
        .unwrap()
        .lines()
        .map(|line| {
            let mut line: MetricsLine = serde_json::from_str(line).unwrap();
            line.numbers.retain(|(name, _)| name != "images_per_second");
            line
        })
        .collect()
}

#[track_caller]
pub fn assert_same_run(one: &Path, other: &Path) {
    assert_same_weights(one, other);
    assert_eq!(metrics(one), metrics(other));
}

/// The weights, averages and moments of the newest checkpoints.
#[track_caller]
pub fn assert_same_weights(one: &Path, other: &Path) {
    let (one_files, other_files) = (final_files(one), final_files(other));
    assert_eq!(one_files.len(), other_files.len());
    for ((name, bytes), (_, expected)) in other_files.iter().zip(&one_files) {
        assert!(bytes == expected, "{name} differs");
    }
}

/// Every network, loss and update rule with each other, with an average or without, evaluated or not.
fn variants() -> Vec<Experiment> {
    let games = [
        &[
            "objective.loss=non-saturating",
            "evaluation.every=2",
            "evaluation.count=10",
        ][..],
        &["objective.loss=minimax", "ema.decay=0"],
        &[
            "objective.loss=non-saturating",
            "training.update=simultaneous",
            "ema.decay=0",
        ],
        &["objective.loss=minimax", "training.update=simultaneous"],
        &["training.discriminator_steps=2"],
    ];
    let networks = [
        "network = \"dcgan\"\nlatent_size = 8\nbase_channels = 4",
        "network = \"mlp\"\nlatent_size = 8\nhidden_sizes = [12, 16]",
        "network = \"blog\"\nlatent_size = 8",
    ];
    // A software adapter takes long for each, and games are the same to all networks.
    let networks = &networks[..if ON_CUBECL { 1 } else { 3 }];
    let with_games = |network: &&'static str| {
        let network = *network;
        games
            .into_iter()
            .map(move |game| experiment_with(network, &[&["training.epochs=2"], game].concat()))
    };
    let mut all: Vec<Experiment> = networks.iter().flat_map(with_games).collect();
    // What an objective draws, and counts, goes on where it was.
    let plain = format!("{}\ndiscriminator_normalization = \"none\"", networks[0]);
    let penalized = [
        &["objective.loss=relativistic", "objective.r1=0.5", "objective.r2=0.5"][..],
        &[
            "objective.loss=wasserstein",
            "objective.gradient_penalty=10",
            "objective.penalty_every=2",
            "training.discriminator_steps=2",
        ],
        &[
            "objective.loss=wasserstein",
            "optimizer.discriminator.clip_weights=0.02",
        ],
        &[
            "schedule.shape=cosine",
            "schedule.warm_up=3",
            "schedule.beta2=0.9",
            "ema.decay=0",
            "ema.half_life=40",
        ],
    ];
    all.extend(penalized.map(|set| experiment_with(&plain, set)));
    let resnet = "network = \"resnet\"\nlatent_size = 8\nbase_channels = 2\nmost_channels = 4";
    all.push(experiment_with(
        resnet,
        &["objective.loss=relativistic", "objective.r1=0.5", "objective.r2=0.5"],
    ));
    // Told the class, with penalties on what the images of a batch have together.
    let of_class = format!(
        "{}\nconditional = true\ndiscriminator_normalization = \"none\"\nminibatch_stddev = true",
        networks[0]
    );
    let critic = ["objective.loss=wasserstein", "objective.gradient_penalty=10"];
    all.push(experiment_with(&of_class, &critic));
    let classifier = format!("{of_class}\nclass_head = \"classifier\"");
    all.push(experiment_with(
        &classifier,
        &["objective.classification=1", "objective.r1=0.5"],
    ));
    let of_class = format!("{resnet}\nconditional = true");
    all.push(experiment_with(
        &of_class,
        &["objective.loss=hinge", "objective.r2=0.5"],
    ));
    // Vectors of power iterations, and everything that is drawn for a batch.
    let steadied = format!(
        "{}\ndiscriminator_normalization = \"spectral\"\ngenerator_normalization = \"layer\"\ndiscriminator_convolutions = 1\n\
         minibatch_stddev = true\npacking = 2",
        networks[0]
    );
    let drawn = [
        "objective.r1=0.5",
        "objective.penalty_method=random-direction",
        "objective.instance_noise=0.2",
        "objective.label_smoothing=0.1",
        "objective.augment.translation=0.125",
        "objective.augment.cutout=0.5",
        "objective.augment.brightness=1",
        "schedule.shape=linear",
        "schedule.penalty=0.1",
    ];
    all.push(experiment_with(&steadied, &drawn));
    let central = ["objective.r2=0.5", "objective.penalty_method=central-difference"];
    all.push(experiment_with(networks[0], &central));
    if ON_CUBECL {
        // The state goes on by the host, the same for all, and each takes a software adapter half a minute, and a GPU the tuning of its kernels: what evaluates, what
        // penalizes every second step, residual blocks, and what is drawn for a batch.
        all.retain(|variant| {
            variant.evaluation.every > 0
                || variant.objective.period() > 1
                || (variant.model.name() == "resnet" && variant.objective.loss == AdversarialLoss::Relativistic)
                || variant.schedule.penalty < 1.0
        });
        assert_eq!(all.len(), 4);
    }
    all
}

#[test]
fn a_run_repeated_from_its_own_config_is_the_same_to_the_bit() {
    let folder = tempfile::tempdir().unwrap();
    let (one, other) = (folder.path().join("one"), folder.path().join("other"));
    let experiment = experiment(&[]);
    assert_eq!(
        begin(&experiment, &one, u64::MAX).unwrap(),
        Outcome::Finished { step: 12 }
    );
    let written: Experiment =
        ganvas_training::load_experiment(&one.join("config.toml"), &Overrides::default()).unwrap();
    assert_eq!(written, experiment);
    begin(&written, &other, u64::MAX).unwrap();
    assert_same_run(&one, &other);
    let pixels = |folder: &Path| fs::read(folder.join("comparison.png")).unwrap();
    assert_eq!(pixels(&one), pixels(&other));
}

#[test]
fn a_stopped_and_resumed_run_is_the_same_to_the_bit() {
    for experiment in variants() {
        let folder = tempfile::tempdir().unwrap();
        let (whole, parts) = (folder.path().join("whole"), folder.path().join("parts"));
        let Outcome::Finished { step: last } = begin(&experiment, &whole, u64::MAX).unwrap() else {
            panic!("{experiment:?} was stopped");
        };
        // In the middle of the first epoch; with two updates of the discriminator a step has two batches.
        assert_eq!(begin(&experiment, &parts, 1).unwrap(), Outcome::Stopped { step: 1 });
        assert_eq!(go_on(&experiment, &parts, 1).unwrap(), Outcome::Stopped { step: 2 });
        assert_eq!(
            go_on(&experiment, &parts, u64::MAX).unwrap(),
            Outcome::Finished { step: last }
        );
        // Printed where what follows fails.
        println!("{}", experiment.to_toml().unwrap());
        assert_same_run(&whole, &parts);
    }
}

/// Each backward pass of Burn's cleans up the graphs of all threads (`autodiff_lock`): without the lock, what a packed discriminator with
/// minibatch standard deviations learns here is another thing in most runs. CUBECL's own threads are `take_turn`'s subject.
#[test]
fn backward_passes_on_other_threads_change_nothing() {
    if ON_CUBECL {
        return;
    }
    let network = "network = \"dcgan\"\nlatent_size = 8\nbase_channels = 4\ndiscriminator_normalization = \"spectral\"\n\
                   minibatch_stddev = true\npacking = 2";
    let set = [
        "training.epochs=12",
        "objective.r1=0.5",
        "objective.penalty_method=random-direction",
    ];
    let experiment = experiment_with(network, &set);
    let folder = tempfile::tempdir().unwrap();
    let (alone, beside) = (folder.path().join("alone"), folder.path().join("beside"));
    begin(&experiment, &alone, u64::MAX).unwrap();
    let ended = AtomicBool::new(false);
    std::thread::scope(|scope| {
        for _ in 0..3 {
            scope.spawn(|| {
                while !ended.load(Ordering::Relaxed) {
                    let _lock = crate::lock();
                    Tensor::<B, 1>::ones([1], &device()).require_grad().sum().backward();
                }
            });
        }
        let result = begin(&experiment, &beside, u64::MAX);
        ended.store(true, Ordering::Relaxed);
        result.unwrap();
    });
    assert_same_run(&alone, &beside);
}

#[test]
fn a_line_that_was_due_stays_when_another_is_due_from_then_on() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("run");
    begin(&experiment(&["logging.every=2"]), &path, 4).unwrap();
    go_on(&experiment(&["logging.every=5"]), &path, u64::MAX).unwrap();
    let steps: Vec<u64> = metrics(&path).iter().map(|line| line.step).collect();
    assert_eq!(steps, [2, 4, 5, 10, 12]);
}

#[test]
fn a_finished_run_that_is_made_longer_is_the_same_to_the_bit() {
    let folder = tempfile::tempdir().unwrap();
    let (whole, parts) = (folder.path().join("whole"), folder.path().join("parts"));
    begin(&experiment(&["training.max_steps=8"]), &whole, u64::MAX).unwrap();
    // Its last step is logged, though it is none of every second.
    begin(&experiment(&["training.max_steps=5"]), &parts, u64::MAX).unwrap();
    assert_eq!(metrics(&parts).last().unwrap().step, 5);
    go_on(&experiment(&["training.max_steps=8"]), &parts, u64::MAX).unwrap();
    assert_same_run(&whole, &parts);
}

/// On processors; GPUs have no threads to set, and a software adapter has its own.
#[test]
fn a_run_is_the_same_to_the_bit_on_any_number_of_threads() {
    let desk = crate::desk::Desk::new();
    let backend =
        format!("[backend]\nkind = \"{KIND}\"\n[data]\ncount = 400\nbatch_size = 128\n[training]\nmax_steps = 6\n");
    let networks = [
        "[model]\nnetwork = \"mlp\"\nhidden_sizes = [144, 16]\n",
        "[model]\nnetwork = \"dcgan\"\nbase_channels = 12\n",
    ];
    for (number, network) in networks.iter().enumerate().take(if ON_CUBECL { 0 } else { 2 }) {
        let config = format!("network-{number}.toml");
        fs::write(desk.path(&config), format!("{backend}{network}")).unwrap();
        let run = |threads: &str| {
            let out = format!("run-{number}-{threads}");
            let mut command = desk.command(&["train", &config, "--out", &out]);
            let output = command.env("RAYON_NUM_THREADS", threads).output().unwrap();
            assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
            desk.path(&out)
        };
        let one = run("1");
        for threads in ["2", "3", "7"] {
            assert_same_run(&one, &run(threads));
        }
    }
}

#[test]
fn another_seed_is_another_run() {
    let folder = tempfile::tempdir().unwrap();
    let (one, other) = (folder.path().join("one"), folder.path().join("other"));
    begin(&experiment(&["training.max_steps=2"]), &one, u64::MAX).unwrap();
    begin(&experiment(&["training.max_steps=2", "seed=6"]), &other, u64::MAX).unwrap();
    assert_ne!(metrics(&one), metrics(&other));
}

#[test]
fn epochs_steps_and_updates_are_counted_as_configured() {
    // 40 images in batches of 16 are three batches, the last one short.
    for (set, expected) in [
        (&["training.epochs=2"][..], 6),
        (&["training.epochs=2", "data.drop_last=true"], 4),
        (&["training.epochs=2", "training.discriminator_steps=2"], 3),
        (&["training.epochs=2", "training.max_steps=5"], 5),
        (&["training.epochs=1", "training.max_steps=7"], 7),
    ] {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("run");
        assert_eq!(
            begin(&experiment(set), &path, u64::MAX).unwrap(),
            Outcome::Finished { step: expected },
            "{set:?}"
        );
        let last = metrics(&path).pop().unwrap();
        // `max_steps` decides alone, so the last of these goes on into a third epoch.
        assert_eq!(
            (last.step, last.epoch),
            (expected, if expected == 7 { 3 } else { 2 }),
            "{set:?}"
        );
    }
}

/// These sums were taken once and hold for every backend: what they stand for never depends on one.
#[test]
fn weights_noise_and_order_are_the_same_on_every_backend() {
    let digest = |bytes: &mut dyn Iterator<Item = u8>| {
        let sum = Sha256::digest(bytes.collect::<Vec<u8>>());
        sum.iter().take(8).map(|byte| format!("{byte:02x}")).collect::<String>()
    };
    let network = DcganConfig {
        base_channels: 4,
        ..DcganConfig::default()
    };
    let (mut rng, device) = (keyed_rng(1, Purpose::GeneratorWeights, 0), device());
    let generator = network
        .generator(
            ImageShape::new(1, 28, 28).into(),
            &mut Init::<Inner>::new(&mut rng, &device),
        )
        .unwrap();
    let weights = named_tensors(&generator);
    let noise = ganvas_data::normal_vec(&mut keyed_rng(1, Purpose::Noise, 7), 1000);
    let order = ganvas_data::epoch_order(1, 3, 1000);
    let digits = ganvas_data::synthetic_digits(1, Split::Train, 50);
    let found = [
        digest(
            &mut weights
                .iter()
                .flat_map(|tensor| &tensor.values)
                .flat_map(|value| value.to_le_bytes()),
        ),
        digest(&mut noise.iter().flat_map(|value| value.to_le_bytes())),
        digest(&mut order.iter().flat_map(|index| index.to_le_bytes())),
        digest(&mut digits.pixels().iter().copied()),
    ];
    assert_eq!(
        found,
        [
            "9596464298591496",
            "3366251db6a3d4b1",
            "80b7d986f34df04a",
            "e9be05da6777243f"
        ]
    );
}
