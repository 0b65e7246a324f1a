//! What moves the weights, against PyTorch's optimizers (`tests/reference/optimizers.py`), and through a resume.

use std::{collections::BTreeMap, fs};

use burn::{
    module::{Module, ModuleVisitor, Param},
    optim::GradientsParams,
    tensor::Tensor,
};
use ganvas_data::{Purpose, keyed_rng};
use ganvas_model::{Init, Linear, named_tensors, without_fused};
use ganvas_training::{Optimizer, OptimizerConfig};
use serde::Deserialize;

use crate::{
    B, Inner, KIND, ON_CUBECL, assert_near,
    desk::Desk,
    device,
    golden::{pattern_tensor, patterned, read, values},
};

#[derive(Deserialize)]
struct Case {
    name: String,
    settings: serde_json::Value,
    after: BTreeMap<String, Vec<f64>>,
    norms: Vec<f64>,
}

fn layer() -> Linear<B> {
    let (mut rng, device) = (keyed_rng(0, Purpose::GeneratorWeights, 0), device());
    let layer = Linear::new([4, 3], true, &mut Init::new(&mut rng, &device));
    patterned::<B, _>(layer, 0, |_, u| u as f32)
}

/// The gradients of an update, counted from 1.
fn gradients(layer: &Linear<B>, update: u32) -> GradientsParams {
    struct Visitor(GradientsParams, u32);
    impl ModuleVisitor<B> for Visitor {
        fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<B, D>>) {
            let gradient = pattern_tensor::<Inner, D>(self.1, 1.0, param.dims(), &device());
            self.0.register::<Inner, D>(param.id, gradient);
            self.1 += 1;
        }
    }
    let mut visitor = Visitor(GradientsParams::new(), 100 * update);
    layer.visit(&mut visitor);
    visitor.0
}

#[test]
fn weights_move_as_pytorch_moves_them() {
    let check = |cases: Vec<Case>| {
        for case in cases {
            let config = OptimizerConfig {
                learning_rate: 0.01,
                ..serde_json::from_value(case.settings).unwrap()
            };
            let (mut layer, mut optimizer) = (layer(), Optimizer::<Inner>::new(config));
            for (update, norm) in (1..).zip(case.norms) {
                let gradients = gradients(&layer, update);
                let squares;
                (layer, squares) = optimizer.step::<B, _>(layer, gradients, true);
                // As they were before anything was clipped.
                let squares = values::<Inner, 1>(squares.unwrap()).into_iter().map(f64::from);
                assert_near(&case.name, squares.sum::<f64>().sqrt(), norm, norm, 1e-5);
            }
            for tensor in named_tensors::<B, _>(&layer) {
                for (found, expected) in tensor.values.iter().zip(&case.after[&tensor.name]) {
                    let what = format!("{} of {}", tensor.name, case.name);
                    assert_near(&what, f64::from(*found), *expected, 1.0, 1e-5);
                }
            }
        }
    };
    check(read("optimizers"));
    without_fused(|| check(read("optimizers")));
}

#[test]
fn every_optimizer_goes_on_to_the_bit_and_its_kind_stays() {
    let desk = Desk::new();
    let kinds = [
        ("rmsprop", "momentum=0.5"),
        ("adamw", "weight_decay=0.1"),
        ("sgd", "momentum=0.5"),
    ];
    // Each start of the command takes a software adapter seconds.
    for (kind, more) in &kinds[..if ON_CUBECL { 1 } else { 3 }] {
        let of = |network: &str, key: &str| format!("optimizer.{network}.{key}");
        let sets: Vec<String> = ["generator", "discriminator"]
            .iter()
            .flat_map(|network| {
                [
                    of(network, &format!("kind={kind}")),
                    of(network, more),
                    of(network, "clip_gradients=0.5"),
                ]
            })
            .flat_map(|set| ["--set".to_owned(), set])
            .collect();
        let sets: Vec<&str> = sets.iter().map(String::as_str).collect();
        let (whole, halves) = (format!("{kind}-whole"), format!("{kind}-halves"));
        let train = |out: &str, steps: &str| {
            let first = ["train", "tiny.toml", "--out", out, "--set", steps];
            desk.ok(&[&first[..], &sets].concat());
        };
        train(&whole, "training.max_steps=4");
        train(&halves, "training.max_steps=2");
        desk.ok(&["train", "--resume", &halves, "--set", "training.max_steps=4"]);
        for name in ["generator", "optimizer_generator", "optimizer_discriminator"] {
            let path = format!("checkpoints/step-000004/{name}.safetensors");
            let read = |run: &str| fs::read(desk.path(run).join(&path)).unwrap();
            assert!(read(&whole) == read(&halves), "{name} of {kind} on {KIND}");
        }
        let other = desk.run(&[
            "train",
            "--resume",
            &halves,
            "--set",
            "optimizer.generator.kind=adam",
            "--set",
            more_of(more),
        ]);
        assert_eq!(other.code, 2, "{}", other.stderr);
        assert!(other.stderr.contains("optimizer.generator"), "{}", other.stderr);
    }
}

/// Takes back what only the kind before had.
fn more_of(more: &str) -> &'static str {
    match more.starts_with("weight_decay") {
        true => "optimizer.generator.weight_decay=0",
        false => "optimizer.generator.momentum=0",
    }
}

#[test]
#[cfg(feature = "ndarray")]
fn what_an_optimizer_does_not_have_is_refused() {
    let desk = Desk::new();
    for (set, parts) in [
        (
            "optimizer.generator.momentum=0.9",
            ["that of Adam is `beta1`", "momentum"],
        ),
        ("optimizer.discriminator.weight_decay=0.1", ["`adamw`", "weight_decay"]),
        ("optimizer.generator.clip_gradients=-1", ["0 or more", "clip_gradients"]),
        (
            "optimizer.generator.weight_decay=1e5",
            ["gone in one update", "weight_decay"],
        ),
        ("optimizer.generator.kind=adagrad", ["adamw", "rmsprop"]),
    ] {
        let run = desk.run(&["train", "tiny.toml", "--out", "none", "--set", set]);
        crate::desk::says(&run, 2, &parts);
        assert!(!desk.path("none").exists());
    }
}
