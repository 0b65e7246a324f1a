//! What `[schedule]` does to a training: each step has the values that a person would give it who stops after each and goes on with others.

use std::path::Path;

use ganvas_model::GradientPenalty;

use crate::{
    assert_near,
    determinism::{assert_same_weights, begin, experiment, go_on, metrics},
};

const STEPS: u32 = 3;

const FIXED: [&str; 6] = [
    "model.discriminator_normalization=none",
    "training.max_steps=3",
    "logging.every=1",
    "samples.every=0",
    "optimizer.generator.learning_rate=0.001",
    "optimizer.discriminator.learning_rate=0.002",
];

fn whole(set: &[&str], folder: &Path) {
    begin(&experiment(&[&FIXED[..], set].concat()), folder, u64::MAX).unwrap();
}

/// Trains by a schedule and, with the rates and beta2 that it should have in each step, by hand.
fn assert_is_by_hand(scheduled: &[&str], by_hand: impl Fn(u32) -> [f64; 2]) {
    let folder = tempfile::tempdir().unwrap();
    let (by_schedule, steps) = (folder.path().join("schedule"), folder.path().join("steps"));
    whole(scheduled, &by_schedule);
    for step in 1..=STEPS {
        let [rate, beta2] = by_hand(step);
        let values = [
            format!("optimizer.generator.learning_rate={}", 0.001 * rate),
            format!("optimizer.discriminator.learning_rate={}", 0.002 * rate),
            format!("optimizer.generator.beta2={beta2}"),
            format!("optimizer.discriminator.beta2={beta2}"),
        ];
        let values: Vec<&str> = values.iter().map(String::as_str).collect();
        let experiment = experiment(&[&FIXED[..], &values].concat());
        let go = if step == 1 { begin } else { go_on };
        go(&experiment, &steps, 1).unwrap();
    }
    // Printed where what follows fails.
    println!("{scheduled:?}");
    assert_same_weights(&by_schedule, &steps);
}

#[test]
fn rates_and_beta2_follow_their_schedule() {
    let linear = [
        "schedule.shape=linear",
        "schedule.learning_rate=0.1",
        "schedule.beta2=0.5",
    ];
    assert_is_by_hand(&linear, |step| {
        // A third of the way is gone in the second step of three.
        let gone = f64::from(step - 1) / 3.0;
        [1.0 + (0.1 - 1.0) * gone, 0.999 + (0.5 - 0.999) * gone]
    });
    assert_is_by_hand(&["schedule.warm_up=2"], |step| {
        [if step == 1 { 0.5 } else { 1.0 }, 0.999]
    });
}

#[test]
fn penalties_follow_their_schedule() {
    let folder = tempfile::tempdir().unwrap();
    let run = folder.path().join("run");
    let cosine = [
        // New networks have hardly a slope.
        "objective.r1=3000",
        "schedule.shape=cosine",
        "schedule.penalty=5",
        "schedule.learning_rate=1",
    ];
    whole(&cosine, &run);
    let lines = metrics(&run);
    assert_eq!(lines.len(), STEPS as usize);
    for (line, gone) in lines.iter().zip([0.0, 0.25, 0.75]) {
        let number = |name: &str| line.get(name).unwrap();
        let added = number("loss/discriminator") - number(ganvas_model::ADVERSARIAL_LOSS);
        let penalty = number(GradientPenalty::R1.name());
        assert!(penalty > 0.0);
        assert_near("γ", added / penalty, 3000.0 * (1.0 + (5.0 - 1.0) * gone), 3000.0, 0.02);
    }
}

#[test]
fn noise_on_images_follows_its_schedule() {
    let folder = tempfile::tempdir().unwrap();
    let trained = |name: &str, set: &[&str]| {
        let run = folder.path().join(name);
        whole(set, &run);
        metrics(&run)
            .iter()
            .map(|line| line.get("loss/discriminator").unwrap())
            .collect::<Vec<f64>>()
    };
    let falling = ["schedule.shape=linear", "schedule.learning_rate=1"];
    let noise = ["objective.instance_noise=0.5"];
    let stays = ["schedule.instance_noise=1"];
    let with = trained("stays", &[&falling[..], &noise, &stays].concat());
    let weaker = trained("weaker", &[&falling[..], &noise].concat());
    // All of it in the first step, less in the others.
    assert_eq!(weaker[0], with[0]);
    assert!(weaker[1] != with[1] && weaker[2] != with[2], "{weaker:?} {with:?}");
}
