//! Pictures as other libraries write them, and bad files of every kind.

mod fuzz;

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};

use image::{DynamicImage, GenericImageView, RgbImage};
use tempfile::TempDir;

use super::decode::{decode, outside};
use super::fit::{Target, transposed};
use super::*;
use crate::{DataError, ImageSource, idx};

const BACKGROUND: Background = Background([10, 200, 90]);

fn fixtures() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/own")
}

/// Arrays of bytes by name, with their shapes.
fn arrays(name: &str) -> Vec<(String, Vec<usize>, Vec<u8>)> {
    let file = fs::File::open(fixtures().join(name)).unwrap();
    let mut archive = zip::ZipArchive::new(file).unwrap();
    (0..archive.len())
        .map(|index| {
            let member = archive.by_index(index).unwrap();
            let name = member.name().unwrap().trim_end_matches(".npy").to_owned();
            let array = npyz::NpyFile::new(member).unwrap();
            let shape = array.shape().iter().map(|side| *side as usize).collect();
            (name, shape, array.into_vec().unwrap())
        })
        .collect()
}

fn largest_difference(left: &[u8], right: &[u8]) -> u8 {
    assert_eq!(left.len(), right.len());
    left.iter()
        .zip(right)
        .map(|(left, right)| left.abs_diff(*right))
        .max()
        .unwrap_or(0)
}

/// A picture of many colours.
fn picture(width: u32, height: u32, seed: u32) -> RgbImage {
    RgbImage::from_fn(width, height, |x, y| {
        image::Rgb([
            (x * 7 + seed * 31) as u8,
            (y * 11 + seed * 17) as u8,
            (x * y + seed) as u8,
        ])
    })
}

fn save(folder: &Path, name: &str, seed: u32) {
    let path = folder.join(name);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    picture(20, 12, seed).save(path).unwrap();
}

/// A folder of ten pictures in two classes.
fn folder() -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    for number in 0..10 {
        let class = ["cats", "dogs"][number as usize % 2];
        save(folder.path(), &format!("{class}/{number}.png"), number);
    }
    folder
}

fn options(path: &Path) -> OwnOptions {
    OwnOptions {
        path: path.to_owned(),
        image_size: Some(8),
        ..OwnOptions::default()
    }
}

/// Loads, and sees that what is known before is what comes.
fn load(options: &OwnOptions) -> Result<(crate::ImageSet, OwnReport), DataError> {
    let (set, report) = load_own(options, &|_, _| {})?;
    let survey = survey_own(options)?;
    assert_eq!((survey.shape, &survey.classes), (set.shape(), &report.classes));
    assert!(survey.count == set.len() || !report.bad.is_empty());
    Ok((set, report))
}

#[test]
fn pictures_look_as_in_pillow() {
    for (name, shape, wanted) in arrays("expected.npz") {
        let bytes = fs::read(fixtures().join(&name)).unwrap();
        let found = decode(&bytes, BACKGROUND).unwrap();
        assert_eq!([found.height() as usize, found.width() as usize, 3], *shape, "{name}");
        let seen = outside(&bytes).unwrap();
        assert_eq!((seen.width, seen.height), found.dimensions(), "{name}");
        let tolerance = match &*name {
            // Two decoders of what loses something round otherwise.
            name if name.ends_with(".jpg") => 4,
            "lossy.webp" => 4,
            "rgba.png" | "rgba.webp" | "la.png" | "cmyk.tiff" => 1,
            _ => 0,
        };
        let difference = largest_difference(&found.into_rgb8(), &wanted);
        assert!(difference <= tolerance, "{name}: {difference}");
    }
}

#[test]
fn grey_pictures_are_known_by_their_headers() {
    for (name, is_grey) in [
        ("grey.png", true),
        ("grey16.png", true),
        ("la.png", true),
        ("grey.jpg", true),
        ("rgb.png", false),
        ("palette.png", false),
    ] {
        let bytes = fs::read(fixtures().join(name)).unwrap();
        assert_eq!(outside(&bytes).unwrap().is_grey, is_grey, "{name}");
    }
}

#[test]
fn sizes_are_changed_as_by_pillow() {
    let large = image::open(fixtures().join("large.png")).unwrap();
    for (name, shape, wanted) in arrays("fitted.npz") {
        let side = shape[0];
        let fit = match &*name {
            "crop" => Fit::Crop,
            "pad" => Fit::Pad,
            _ => Fit::Stretch,
        };
        let target = Target {
            shape: [3, side, side],
            fit,
            background: BACKGROUND,
        };
        let mut planes = vec![0; 3 * side * side];
        target.write(large.clone(), &mut planes);
        let area = side * side;
        let found: Vec<u8> = (0..area)
            .flat_map(|pixel| [0, 1, 2].map(|channel| planes[channel * area + pixel]))
            .collect();
        // Pillow rounds and cuts off between rows and columns; this filter does so at the end only.
        let mean = found
            .iter()
            .zip(&wanted)
            .map(|(left, right)| f64::from(left.abs_diff(*right)))
            .sum::<f64>()
            / found.len() as f64;
        let pairs = found.iter().zip(&wanted);
        let far = pairs.filter(|(left, right)| left.abs_diff(**right) > 4).count();
        assert!(
            mean < 0.5 && far * 100 < found.len(),
            "{name}: {mean}, and {far} of {}",
            found.len()
        );
    }
}

#[test]
fn rows_and_columns_are_exchanged() {
    let original = picture(5, 3, 1);
    let turned = transposed(&DynamicImage::ImageRgb8(original.clone())).into_rgb8();
    assert_eq!(turned.dimensions(), (3, 5));
    for (x, y, pixel) in original.enumerate_pixels() {
        assert_eq!(turned.get_pixel(y, x), pixel);
    }
}

#[test]
fn folders_are_classes_and_the_order_is_that_of_the_paths() {
    let folder = folder();
    save(folder.path(), "cats/deep/er/x.bmp", 40);
    fs::write(folder.path().join("cats/notes.txt"), "no picture").unwrap();
    save(folder.path(), "cats/.hidden.png", 41);
    let options = OwnOptions {
        labels: LabelSource::Folders,
        ..options(folder.path())
    };
    let (set, report) = load(&options).unwrap();
    assert_eq!(set.class_names(), ["cats", "dogs"]);
    assert_eq!(set.labels().unwrap(), [0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 1]);
    assert_eq!(set.shape(), [3, 8, 8]);
    assert_eq!(
        report.to_string(),
        "11 images of 2 classes, 20×12 to 8×8, cropped, in colours"
    );
    assert_eq!(report.ignored, 1);
    let survey = survey_own(&options).unwrap();
    assert_eq!((survey.count, survey.shape, survey.classes.len()), (11, [3, 8, 8], 2));
    // Those at the top have no class.
    save(folder.path(), "top.png", 50);
    let error = load(&options).unwrap_err().to_string();
    assert!(
        error.contains("1 picture cannot be used, 11 can") && error.contains("top.png lies in no folder"),
        "{error}"
    );
}

#[test]
fn an_archive_is_as_the_folder() {
    let folder = folder();
    let path = folder.path().join("all.zip");
    let mut archive = zip::ZipWriter::new(fs::File::create(&path).unwrap());
    let inside = tempfile::tempdir().unwrap();
    for number in 0..10 {
        let class = ["cats", "dogs"][number as usize % 2];
        let name = format!("{class}/{number}.png");
        let bytes = fs::read(folder.path().join(&name)).unwrap();
        fs::create_dir_all(inside.path().join(class)).unwrap();
        fs::write(inside.path().join(&name), &bytes).unwrap();
        archive
            .start_file(&name, zip::write::SimpleFileOptions::default())
            .unwrap();
        archive.write_all(&bytes).unwrap();
    }
    archive
        .start_file("__MACOSX/cats/0.png", zip::write::SimpleFileOptions::default())
        .unwrap();
    archive.finish().unwrap();
    let with_classes = |path: &Path| OwnOptions {
        labels: LabelSource::Folders,
        ..options(path)
    };
    let (from_folder, _) = load(&with_classes(inside.path())).unwrap();
    let (from_archive, _) = load(&with_classes(&path)).unwrap();
    assert_eq!(from_folder.pixels(), from_archive.pixels());
    assert_eq!(from_folder.labels(), from_archive.labels());
    assert_eq!(from_folder.class_names(), from_archive.class_names());
}

#[test]
fn a_table_says_the_classes() {
    let folder = folder();
    let mut table = "label,file,more\n".to_owned();
    for number in 0..10 {
        let class = ["cats", "dogs"][number as usize % 2];
        table += &format!("{},./{class}/{number}.png,x\n", 10 - number);
    }
    fs::write(folder.path().join("labels.csv"), &table).unwrap();
    let options = OwnOptions {
        labels: LabelSource::Table("labels.csv".into()),
        ..options(folder.path())
    };
    let (set, _) = load(&options).unwrap();
    // Numbers in the order of numbers: 10 is not before 2.
    assert_eq!(
        set.class_names(),
        (1..=10).map(|number| number.to_string()).collect::<Vec<_>>()
    );
    assert_eq!(set.labels().unwrap(), [9, 7, 5, 3, 1, 8, 6, 4, 2, 0]);
    for (text, part) in [
        ("name,class\na.png,1\n", "with the columns `file` and `label`"),
        ("file,label\ncats/0.png\n", "2 columns"),
        ("file,label\ncats/0.png,\n", "line 2 without"),
        ("file,label\ncats/0.png,a\ncats/0.png,b\n", "in line 3, as `b`"),
    ] {
        fs::write(folder.path().join("labels.csv"), text).unwrap();
        let error = load(&options).unwrap_err().to_string();
        assert!(error.contains(part), "{error}");
    }
    fs::write(folder.path().join("labels.csv"), "file,label\ncats/0.png,a\n").unwrap();
    let error = load(&options).unwrap_err().to_string();
    assert!(
        error.contains("9 pictures cannot be used, 1 can") && error.contains("has no label"),
        "{error}"
    );
}

/// Every kind of bad file is named, and left out where that is wanted.
#[test]
fn bad_files_are_named() {
    let folder = folder();
    let place = |name: &str| folder.path().join("cats").join(name);
    let whole = fs::read(place("0.png")).unwrap();
    fs::write(place("cut.png"), &whole[..whole.len() / 2]).unwrap();
    fs::write(place("empty.png"), []).unwrap();
    fs::write(place("text.png"), "this is no picture at all").unwrap();
    RgbImage::from_pixel(9, 9, image::Rgb([5, 6, 7]))
        .save(place("flat.png"))
        .unwrap();
    // A header that promises 30,000 × 30,000 pixels.
    let mut bomb = whole.clone();
    bomb[16..20].copy_from_slice(&30_000_u32.to_be_bytes());
    bomb[20..24].copy_from_slice(&30_000_u32.to_be_bytes());
    let sum = crc32(&bomb[12..29]);
    bomb[29..33].copy_from_slice(&sum.to_be_bytes());
    fs::write(place("bomb.png"), &bomb).unwrap();
    // The content counts, not the name.
    fs::write(place("png.jpg"), &whole).unwrap();
    let mut wanted = vec![
        ("cats/bomb.png", "30000×30000 pixels"),
        ("cats/cut.png", "ends too early"),
        ("cats/empty.png", "is empty"),
        ("cats/flat.png", "one colour"),
        ("cats/text.png", "is no PNG"),
    ];
    #[cfg(unix)]
    {
        std::os::unix::fs::symlink(folder.path(), place("loop")).unwrap();
        wanted.push(("cats/loop", "is a link to a folder that it lies in"));
        std::os::unix::fs::symlink("nowhere", place("gone.png")).unwrap();
        wanted.push(("cats/gone.png", "cannot be read"));
        wanted.sort();
    }
    let error = load(&options(folder.path())).unwrap_err();
    let DataError::BadPictures { bad, left, .. } = &error else {
        panic!("{error}");
    };
    assert_eq!(*left, 11);
    assert_eq!(bad.len(), wanted.len(), "{error}");
    for (found, (name, reason)) in bad.iter().zip(&wanted) {
        assert_eq!(found.name, *name);
        assert!(found.reason.contains(reason), "{found}");
    }
    let (set, report) = load(&OwnOptions {
        skip_bad: true,
        ..options(folder.path())
    })
    .unwrap();
    assert_eq!((set.len(), report.bad.len()), (11, wanted.len()));
    assert!(
        report.to_string().contains("11 images, 7 skipped, 20×12 to 8×8"),
        "{report}"
    );
    // The others are as without the bad ones.
    for (name, _) in &wanted {
        let _ = fs::remove_file(folder.path().join(name));
    }
    let (clean, _) = load(&options(folder.path())).unwrap();
    assert_eq!(clean.pixels(), set.pixels());
    assert_eq!(check_own(&options(folder.path()), &|_, _| {}).unwrap().bad, []);
}

/// The checksum of PNG's chunks.
fn crc32(bytes: &[u8]) -> u32 {
    !bytes.iter().fold(!0_u32, |sum, byte| {
        (0..8).fold(sum ^ u32::from(*byte), |sum, _| {
            (sum >> 1) ^ (0xEDB8_8320 & (sum & 1).wrapping_neg())
        })
    })
}

#[cfg(unix)]
#[test]
fn names_need_not_be_text() {
    use std::os::unix::ffi::OsStrExt;
    let folder = folder();
    let odd = folder
        .path()
        .join("cats")
        .join(std::ffi::OsStr::from_bytes(b"\xff\x1b[2J.png"));
    fs::copy(folder.path().join("cats/0.png"), &odd).unwrap();
    assert_eq!(load(&options(folder.path())).unwrap().0.len(), 11);
    fs::write(&odd, []).unwrap();
    let error = load(&options(folder.path())).unwrap_err().to_string();
    assert!(error.contains("is empty") && !error.contains('\u{1b}'), "{error}");
}

#[test]
fn too_few_too_large_and_mixed_sizes_are_refused() {
    let folder = folder();
    let few = tempfile::tempdir().unwrap();
    fs::copy(folder.path().join("cats/0.png"), few.path().join("0.png")).unwrap();
    fs::copy(folder.path().join("dogs/1.png"), few.path().join("1.png")).unwrap();
    let error = load(&options(few.path())).unwrap_err().to_string();
    assert!(error.contains("at least 8 pictures, found 2 pictures"), "{error}");
    let error = load(&options(&folder.path().join("none"))).unwrap_err();
    assert!(matches!(error, DataError::Io { .. }), "{error}");
    let small = OwnOptions {
        most_bytes: Some(1000),
        ..options(folder.path())
    };
    let error = survey_own(&small).unwrap_err().to_string();
    assert!(
        error.contains("10 images of 3×8×8 take 1920 bytes, and at most 1000"),
        "{error}"
    );
    let as_they_are = OwnOptions {
        image_size: None,
        ..options(folder.path())
    };
    assert_eq!(load(&as_they_are).unwrap().0.shape(), [3, 12, 20]);
    picture(9, 12, 3).save(folder.path().join("dogs/z.png")).unwrap();
    let error = load(&as_they_are).unwrap_err().to_string();
    assert!(error.contains("found 20×12, and dogs/z.png of 9×12"), "{error}");
    let error = load(&OwnOptions {
        count: Some(12),
        ..options(folder.path())
    })
    .unwrap_err()
    .to_string();
    assert!(error.contains("at least 12 images, found 11"), "{error}");
}

#[test]
fn the_cache_gives_what_was_decoded_and_notices_changes() {
    let folder = folder();
    let cache = tempfile::tempdir().unwrap();
    let options = OwnOptions {
        labels: LabelSource::Folders,
        cache: Some(cache.path().to_owned()),
        ..options(folder.path())
    };
    let files = || {
        fs::read_dir(cache.path())
            .unwrap()
            .map(|entry| entry.unwrap().path())
            .collect::<Vec<_>>()
    };
    let decoded = std::sync::atomic::AtomicUsize::new(0);
    let load = |options: &OwnOptions| {
        decoded.store(0, std::sync::atomic::Ordering::Relaxed);
        let found = load_own(options, &|_, _| {
            decoded.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        });
        (found.unwrap(), decoded.load(std::sync::atomic::Ordering::Relaxed))
    };
    let (first, count) = load(&options);
    assert_eq!((count, files().len()), (10, 1));
    let (second, count) = load(&options);
    assert_eq!(count, 0);
    assert_eq!(first, second);
    assert_eq!(second.0.class_names(), ["cats", "dogs"]);
    // A bit, a length, a promise: whatever is wrong with the file, the pictures are decoded again.
    let path = &files()[0];
    let whole = fs::read(path).unwrap();
    // Magic, length, head, a label, a pixel, the sum itself.
    let label = whole.len() - 32 - first.0.pixels().len() - 3;
    for place in [3, 20, 40, label, whole.len() - 40, whole.len() - 5] {
        let mut damaged = whole.clone();
        damaged[place] ^= 0x10;
        fs::write(path, &damaged).unwrap();
        let (third, count) = load(&options);
        assert_eq!((count, &third), (10, &first), "at {place}");
        assert_eq!(fs::read(path).unwrap(), whole);
    }
    fs::write(path, &whole[..whole.len() - 1]).unwrap();
    assert_eq!(load(&options).1, 10);
    // Other options, and another picture, are another file.
    let (larger, count) = load(&OwnOptions {
        image_size: Some(10),
        ..options.clone()
    });
    assert_eq!((larger.0.shape(), count, files().len()), ([3, 10, 10], 10, 2));
    picture(30, 12, 77).save(folder.path().join("cats/0.png")).unwrap();
    let (changed, count) = load(&options);
    assert_eq!(count, 10);
    assert_ne!(changed.0.pixels(), first.0.pixels());
}

/// What was bad when the pictures were kept is not remembered once it is mended.
#[test]
fn the_cache_does_not_remember_what_lies_beside_the_pictures() {
    let folder = folder();
    let cache = tempfile::tempdir().unwrap();
    let with = |skip_bad: bool| OwnOptions {
        cache: Some(cache.path().to_owned()),
        skip_bad,
        ..options(folder.path())
    };
    fs::write(folder.path().join("dogs/none.png"), []).unwrap();
    assert_eq!(load(&with(true)).unwrap().1.bad.len(), 1);
    assert!(load(&with(false)).unwrap_err().to_string().contains("is empty"));
    fs::remove_file(folder.path().join("dogs/none.png")).unwrap();
    assert!(load(&with(false)).unwrap().1.bad.is_empty());
    #[cfg(unix)]
    {
        let link = folder.path().join("cats/gone.png");
        std::os::unix::fs::symlink("nowhere", &link).unwrap();
        assert_eq!(load(&with(true)).unwrap().1.bad.len(), 1);
        assert!(load(&with(false)).is_err());
        fs::remove_file(&link).unwrap();
        assert!(load(&with(false)).unwrap().1.bad.is_empty());
        // As it was before: found in the cache, and still refused for a link that came later.
        std::os::unix::fs::symlink("nowhere", &link).unwrap();
        assert!(load(&with(false)).is_err());
    }
}

#[test]
fn whatever_sizes_they_have_they_are_checked() {
    let folder = folder();
    picture(300, 200, 9).save(folder.path().join("dogs/large.png")).unwrap();
    fs::write(folder.path().join("dogs/none.png"), []).unwrap();
    let as_they_are = OwnOptions {
        image_size: None,
        most_bytes: Some(10),
        ..options(folder.path())
    };
    let report = check_own(&as_they_are, &|_, _| {}).unwrap();
    assert_eq!((report.images, report.bad.len(), report.shape), (11, 1, None));
    assert_eq!(
        report.to_string(),
        "11 images, 1 skipped, 20×12 … 300×200, which a size brings to one"
    );
    let sized = check_own(&options(folder.path()), &|_, _| {}).unwrap();
    assert_eq!((sized.images, sized.shape), (11, Some([3, 8, 8])));
}

#[test]
fn every_class_has_a_picture() {
    let folder = folder();
    for number in 10..20 {
        save(folder.path(), &format!("cats/{number}.png"), number);
    }
    let options = OwnOptions {
        labels: LabelSource::Folders,
        skip_bad: true,
        ..options(folder.path())
    };
    // Of the first twelve none is a dog, so there are no dogs.
    let few = OwnOptions {
        count: Some(12),
        ..options.clone()
    };
    assert_eq!(load(&few).unwrap().0.class_names(), ["cats"]);
    for number in [1, 3, 5, 7, 9] {
        fs::write(folder.path().join(format!("dogs/{number}.png")), []).unwrap();
    }
    let error = load(&options).unwrap_err().to_string();
    assert!(
        error.contains("pictures of each class, found none of `dogs`"),
        "{error}"
    );
}

/// As file managers make them: the folder itself is in the archive.
#[test]
fn a_folder_of_all_is_no_class() {
    let top = tempfile::tempdir().unwrap();
    for number in 0..10 {
        let class = ["cats", "dogs"][number as usize % 2];
        save(top.path(), &format!("photos/train/{class}/{number}.png"), number);
    }
    let options = OwnOptions {
        labels: LabelSource::Folders,
        ..options(top.path())
    };
    assert_eq!(load(&options).unwrap().0.class_names(), ["cats", "dogs"]);
}

#[test]
fn numbers_in_one_file_are_pictures_too() {
    let folder = tempfile::tempdir().unwrap();
    let pixels: Vec<u8> = (0..10 * 6 * 4).map(|number| (number * 37 % 251) as u8).collect();
    let images = folder.path().join("letters-images-idx3-ubyte");
    idx::write_images(&images, &pixels, 6, 4).unwrap();
    idx::write_labels(
        &folder.path().join("letters-labels-idx1-ubyte"),
        &[1, 2, 26, 1, 2, 26, 1, 2, 26, 1],
    )
    .unwrap();
    let as_they_are = OwnOptions {
        image_size: None,
        ..options(&images)
    };
    let (set, report) = load(&as_they_are).unwrap();
    assert_eq!((set.pixels(), set.shape()), (&*pixels, [1, 6, 4]));
    assert_eq!(set.class_names(), ["1", "2", "26"]);
    assert_eq!(set.labels().unwrap(), [0, 1, 2, 0, 1, 2, 0, 1, 2, 0]);
    assert_eq!(report.to_string(), "10 images of 3 classes, 4×6, grey");
    let (turned, _) = load(&OwnOptions {
        transpose: true,
        ..as_they_are.clone()
    })
    .unwrap();
    assert_eq!(turned.shape(), [1, 4, 6]);
    assert_eq!(
        turned.image(0).unwrap()[..6],
        [0, 4, 8, 12, 16, 20].map(|index| pixels[index])
    );
    // CIFAR-10's binary files.
    let record = |label: u8| std::iter::once(label).chain((0..3072).map(move |place| (place % 256) as u8 ^ label));
    let bytes: Vec<u8> = (0..9).flat_map(record).collect();
    fs::write(folder.path().join("data_batch_1.bin"), &bytes).unwrap();
    fs::write(folder.path().join("data_batch_2.bin"), &bytes[..3073]).unwrap();
    let as_they_are = OwnOptions {
        image_size: None,
        ..options(folder.path())
    };
    let (set, _) = load(&as_they_are).unwrap();
    assert_eq!((set.len(), set.shape(), set.labels().unwrap()[8]), (10, [3, 32, 32], 8));
    // The tenth class is not among them.
    assert_eq!((set.class_names().len(), &*set.class_names()[3]), (9, "cat"));
    assert_eq!(*set.image(2).unwrap(), bytes[2 * 3073 + 1..3 * 3073]);
    fs::write(folder.path().join("data_batch_1.bin"), &bytes[1..]).unwrap();
    let error = load(&as_they_are).unwrap_err().to_string();
    assert!(error.contains("records of 3073 bytes"), "{error}");
}

#[test]
fn an_array_that_is_cut_short_is_known_before_it_is_read() {
    let folder = tempfile::tempdir().unwrap();
    let whole = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/samples/fixtures/fortran.npy");
    let bytes = fs::read(whole).unwrap();
    let path = folder.path().join("short.npy");
    fs::write(&path, &bytes[..bytes.len() - 140]).unwrap();
    let error = survey_own(&options(&path)).unwrap_err().to_string();
    assert!(error.contains("incomplete") && error.contains("short.npy"), "{error}");
}

#[test]
fn mirrored_images_follow_the_others() {
    let folder = folder();
    let set = load(&options(folder.path())).unwrap().0;
    let both = Mirrored::new(std::sync::Arc::new(set.clone()));
    assert_eq!(both.len(), 20);
    assert_eq!(both.image(3).unwrap(), set.image(3).unwrap());
    let (left, right) = (set.image(3).unwrap(), both.image(13).unwrap());
    for (row, mirrored) in left.chunks(8).zip(right.chunks(8)) {
        assert!(row.iter().rev().eq(mirrored));
    }
    assert!(both.image(20).is_err());
    assert_ne!(both.fingerprint().unwrap(), set.fingerprint().unwrap());
}

#[test]
fn colours_are_named_or_hexadecimal() {
    for text in ["black", "white", "#8090a0"] {
        assert_eq!(String::from(text.parse::<Background>().unwrap()), text);
    }
    for text in ["", "red", "#12345", "#12345g", "#1234567", "#é1234"] {
        assert!(
            text.parse::<Background>().unwrap_err().contains("expected `black`"),
            "{text}"
        );
    }
}
