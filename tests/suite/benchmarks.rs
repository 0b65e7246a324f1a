//! Times: dry runs, benchmarks, the timings of a run.

use std::fs;

use crate::{KIND, desk::Desk};

#[test]
fn a_dry_run_reports_sizes_and_writes_nothing() {
    let desk = Desk::new();
    let run = desk.ok(&["train", "tiny.toml", "--dry-run"]);
    for part in [
        "3,737 parameters",
        "discriminator",
        "6 steps, 2 epochs",
        "images/s",
        "memory",
    ] {
        assert!(run.stdout.contains(part), "{part}: {}", run.stdout);
    }
    assert!(!run.stdout.contains("evaluation"), "{}", run.stdout);
    let evaluated = [
        "train",
        "tiny.toml",
        "--dry-run",
        "--set",
        "evaluation.every=2",
        "--set",
        "evaluation.count=20",
    ];
    let run = desk.ok(&evaluated);
    assert!(
        run.stdout.contains("  evaluation ") && run.stdout.contains(" s, 3 times"),
        "{}",
        run.stdout
    );
    assert_eq!(fs::read_dir(desk.folder.path()).unwrap().count(), 1);
}

#[test]
fn a_bench_reports_steps_and_speed_and_writes_nothing() {
    let desk = Desk::new();
    let bench = ["bench", "tiny.toml", "--warm-up", "1", "--steps", "2", "--seconds", "0"];
    let stdout = desk.ok(&bench).stdout;
    for part in [
        "(median of 2; ",
        "images/s",
        "GFLOP/s",
        "large matrix product",
        "6 steps, 2 epochs",
        "memory",
        if crate::ON_CUBECL {
            "kernels           Burn's operations"
        } else {
            "kernels           fused"
        },
    ] {
        assert!(stdout.contains(part), "{part}: {stdout}");
    }
    let stdout = desk.ok(&[&bench[..], &["--json"]].concat()).stdout;
    let report: serde_json::Value = serde_json::from_str(&stdout).unwrap();
    assert_eq!(report["backend"], KIND);
    assert_eq!(report["network"], "dcgan");
    assert_eq!(report["fused_kernels"], !crate::ON_CUBECL);
    assert_eq!(report["step_seconds"].as_array().unwrap().len(), 2);
    assert!(report["step_operations"].as_f64().unwrap() > 0.0);
    assert!(report["product_operations_per_second"].as_f64().unwrap() > 0.0);
    assert!(report["first_step_at"].as_f64().unwrap() > 1.7e9);
    // More steps than the run has: all that there are. The large product takes a software adapter most of a minute.
    if !crate::ON_CUBECL {
        let all = ["bench", "tiny.toml", "--steps", "100", "--seconds", "0"];
        let stdout = desk.ok(&all).stdout;
        assert!(stdout.contains("(median of 3; "), "{stdout}");
    }
    assert_eq!(fs::read_dir(desk.folder.path()).unwrap().count(), 1);
    assert_eq!(desk.run(&["bench", "tiny.toml", "--seconds", "-1"]).code, 2);
}

#[test]
fn a_run_reports_where_its_time_went() {
    let desk = Desk::new();
    let evaluated = [
        "--set",
        "evaluation.every=3",
        "--set",
        "evaluation.count=20",
        "--verbose",
    ];
    let run = desk.ok(&[&["train", "tiny.toml", "--out", "run"][..], &evaluated].concat());
    assert_eq!(
        run.stderr.contains("fused kernels are in use"),
        !crate::ON_CUBECL,
        "{}",
        run.stderr
    );
    let text = fs::read_to_string(desk.path("run/timings.json")).unwrap();
    let timings: ganvas_training::Timings = serde_json::from_str(&text).unwrap();
    assert_eq!(timings.steps, 6);
    assert!(timings.evaluation > 0.0);
    assert!(timings.updates > 0.0 && timings.updates < timings.total());
}
