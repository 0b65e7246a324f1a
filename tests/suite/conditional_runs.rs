//! Runs of class-conditional networks: images of an asked class, resumes, and what is refused.

use std::fs;

use crate::{KIND, ON_CUBECL, desk::Desk};

/// A tiny conditional experiment on synthetic digits.
fn experiment(desk: &Desk) {
    let text = format!(
        "seed = 3\n[backend]\nkind = \"{KIND}\"\n[data]\ndataset = \"synthetic\"\ncount = 200\nbatch_size = 20\n[model]\nnetwork = \"dcgan\"\nbase_channels = 2\n\
         latent_size = 4\nconditional = true\ndiscriminator_normalization = \"none\"\n[training]\nmax_steps = 6\n[logging]\nevery = 1\n\
         [samples]\ncount = 20\n[checkpoint]\nevery = 3\n[ema]\ndecay = 0.9\n"
    );
    fs::write(desk.path("conditional.toml"), text).unwrap();
}

#[test]
fn images_of_an_asked_class_are_made_whatever_is_made_beside_them() {
    let desk = Desk::new();
    experiment(&desk);
    desk.ok(&["train", "conditional.toml", "--out", "run"]);
    let generate = |arguments: &[&str], out: &str| {
        desk.ok(&[&["generate", "run", "--force", "--out", out][..], arguments].concat());
        fs::read(desk.path(out)).unwrap()
    };
    // Row after row of the classes, each image as it is alone.
    let header = 128;
    let image = 28 * 28 * 4;
    let all = generate(&["--class", "all", "--count", "3"], "all.npy");
    assert_eq!(all.len(), header + 30 * image);
    for class in [0, 7] {
        let one = generate(&["--class", &class.to_string(), "--count", "30"], "one.npy");
        let place = header + class * 3 * image..header + (class + 1) * 3 * image;
        assert_near_bytes(&all[place.clone()], &one[place]);
        if ON_CUBECL {
            // A software adapter takes seconds for each start of the command, a GPU for its tuning.
            return;
        }
    }
    let sevens = generate(&["--class", "7", "--count", "5"], "sevens.npy");
    let threes = generate(&["--class", "3", "--count", "5"], "threes.npy");
    assert_ne!(sevens, threes, "the class makes a difference");
    // Without it, classes are drawn: those of an image are the same whatever the count.
    let drawn = generate(&["--count", "10"], "drawn.npy");
    assert_near_bytes(
        &drawn[header..header + 4 * image],
        &generate(&["--count", "4"], "few.npy")[header..],
    );
    // A picture has a row of eight for each class.
    let picture = generate(&["--class", "all"], "all.png");
    let side = |at: usize| u32::from_be_bytes(picture[at..at + 4].try_into().unwrap());
    assert_eq!([side(16), side(20)], [(8 * 30 + 2) * 3, (10 * 30 + 2) * 3]);

    let refused = desk.run(&["generate", "run", "--class", "seven"]);
    assert_eq!(refused.code, 2);
    assert!(refused.stderr.contains("`all`, `0`, `1`"), "{}", refused.stderr);
}

/// The same images: an image does not depend on its neighbours but for rounding.
fn assert_near_bytes(one: &[u8], other: &[u8]) {
    let floats = |bytes: &[u8]| -> Vec<f32> {
        let of_four = |bytes: &[u8]| f32::from_le_bytes(bytes.try_into().unwrap());
        bytes.chunks_exact(4).map(of_four).collect()
    };
    let (one, other) = (floats(one), floats(other));
    assert_eq!(one.len(), other.len());
    assert!(one.iter().zip(&other).all(|(one, other)| (one - other).abs() < 1e-5));
}

#[test]
fn what_cannot_be_conditional_is_refused_before_anything_is_trained() {
    let desk = Desk::new();
    experiment(&desk);
    let refused = |sets: &[&str], parts: &[&str]| {
        let sets: Vec<&str> = sets.iter().flat_map(|&set| ["--set", set]).collect();
        let train = ["train", "conditional.toml", "--out", "none", "--data-dir", "."];
        let run = desk.run(&[&train[..], &sets].concat());
        assert_eq!(run.code, 2, "{}", run.stderr);
        for part in parts {
            assert!(run.stderr.contains(part), "{part} is not in: {}", run.stderr);
        }
        assert!(!desk.path("none").exists());
    };
    refused(
        &["objective.classification=1"],
        &["objective.classification", "give it what reads them"],
    );
    // Nothing would train the classes that it reads.
    refused(
        &["model.class_head=classifier"],
        &["objective.classification", "nothing else trains"],
    );
    refused(
        &["model.class_head=classifier", "model.conditional=false"],
        &["model.class_head", "conditional"],
    );
    refused(&["model.packing=2"], &["model.packing", "have a class each"]);
    refused(&["objective.classification=-1"], &["objective.classification", "0 to"]);
    refused(&["model.class_head=projector"], &["projection", "classifier"]);
    // Images without labels.
    let digits = ganvas_data::synthetic_digits(1, ganvas_data::Split::Train, 30);
    fs::create_dir(desk.path("mnist")).unwrap();
    let name = ganvas_data::Split::Train.file_names().0.trim_end_matches(".gz");
    ganvas_data::idx::write_images(&desk.path("mnist").join(name), digits.pixels(), 28, 28).unwrap();
    refused(
        &["data.dataset=mnist", "data.count=20"],
        &["model.conditional", "images without labels"],
    );
    // A run that is not conditional cannot be asked.
    desk.ok(&["train", "tiny.toml", "--out", "plain"]);
    let run = desk.run(&["generate", "plain", "--class", "7"]);
    assert_eq!(run.code, 2);
    assert!(run.stderr.contains("model.conditional = true"), "{}", run.stderr);
}

#[test]
fn a_conditional_run_goes_on_to_the_bit_and_not_with_other_labels() {
    let desk = Desk::new();
    experiment(&desk);
    desk.ok(&["train", "conditional.toml", "--out", "whole"]);
    desk.ok(&[
        "train",
        "conditional.toml",
        "--out",
        "halves",
        "--set",
        "training.max_steps=3",
    ]);
    desk.ok(&["train", "--resume", "halves", "--set", "training.max_steps=6"]);
    for name in ["generator", "discriminator", "ema_generator"] {
        let path = format!("checkpoints/step-000006/{name}.safetensors");
        let read = |run: &str| fs::read(desk.path(run).join(&path)).unwrap();
        assert!(read("whole") == read("halves"), "{name}");
    }
    let state = fs::read_to_string(desk.path("whole/checkpoints/step-000006/state.json")).unwrap();
    let state: serde_json::Value = serde_json::from_str(&state).unwrap();
    let classes = &state["images"]["classes"];
    assert_eq!(classes["names"][7], "7");
    assert_eq!(
        classes["counts"]
            .as_array()
            .unwrap()
            .iter()
            .map(|count| count.as_u64().unwrap())
            .sum::<u64>(),
        200
    );
}
