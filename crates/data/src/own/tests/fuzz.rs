//! Random changes to everything that is read.

use proptest::prelude::*;

use npyz::WriterBuilder as _;

use super::*;

/// Bytes to change, and where to cut.
#[derive(Debug, Clone)]
struct Damage {
    changes: Vec<(prop::sample::Index, u8)>,
    cut: Option<prop::sample::Index>,
}

impl Damage {
    fn any() -> impl Strategy<Value = Self> {
        let changes = prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..8);
        let cut = prop::option::of(any::<prop::sample::Index>());
        (changes, cut).prop_map(|(changes, cut)| Self { changes, cut })
    }

    fn of(&self, mut bytes: Vec<u8>) -> Vec<u8> {
        for (place, value) in &self.changes {
            let place = place.index(bytes.len());
            bytes[place] = *value;
        }
        if let Some(cut) = self.cut {
            bytes.truncate(cut.index(bytes.len()));
        }
        bytes
    }
}

/// Ten pictures in two classes in a zip archive, half of them packed.
fn archive() -> Vec<u8> {
    let mut archive = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    for number in 0..10 {
        let class = ["cats", "dogs"][number as usize % 2];
        let method = [zip::CompressionMethod::Stored, zip::CompressionMethod::Deflated][number as usize / 5];
        let packed = zip::write::SimpleFileOptions::default().compression_method(method);
        archive.start_file(format!("{class}/{number}.png"), packed).unwrap();
        let mut bytes = std::io::Cursor::new(Vec::new());
        picture(9, 7, number)
            .write_to(&mut bytes, image::ImageFormat::Png)
            .unwrap();
        archive.write_all(bytes.get_ref()).unwrap();
    }
    archive.finish().unwrap().into_inner()
}

/// What is read ends with as many whole images as are said, or with a reason.
fn ends(options: &OwnOptions) -> Result<(), TestCaseError> {
    if let Ok((set, report)) = load_own(options, &|_, _| {}) {
        prop_assert_eq!(set.pixels().len(), set.len() * set.shape().iter().product::<usize>());
        prop_assert!(set.labels().is_none_or(|labels| labels.len() == set.len()));
        prop_assert!(!report.to_string().is_empty());
    }
    let _ = survey_own(options);
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    /// Whatever stands in a file, decoding ends with a picture or a reason.
    #[test]
    fn changed_files_never_panic(
        file in prop::sample::select(vec!["rgb.png", "rgb.jpg", "rgb.webp", "lossy.webp", "rgb.bmp", "two.gif", "lzw.tiff", "cmyk.jpg", "orientation-6.jpg", "palette.png"]),
        damage in Damage::any(),
    ) {
        let bytes = damage.of(fs::read(fixtures().join(file)).unwrap());
        let found = decode(&bytes, BACKGROUND);
        let seen = outside(&bytes);
        if let (Ok(found), Ok(seen)) = (found, seen) {
            prop_assert_eq!(found.dimensions(), (seen.width, seen.height));
        }
    }

    /// Any picture becomes any size, by any fit; one of the size asked for stays as it is.
    #[test]
    fn any_size_becomes_any_size(width in 1_u32..40, height in 1_u32..40, side in 1_usize..40, fit in prop::sample::select(vec![Fit::Crop, Fit::Pad, Fit::Stretch]), channels in prop::sample::select(vec![1_usize, 3])) {
        let source = picture(width, height, 5);
        let target = Target { shape: [channels, side, side], fit, background: BACKGROUND };
        let mut out = vec![0; channels * side * side];
        target.write(DynamicImage::ImageRgb8(source.clone()), &mut out);
        if (width as usize, height as usize, channels) == (side, side, 3) {
            let planes: Vec<u8> = (0..3).flat_map(|channel| source.pixels().map(move |pixel| pixel[channel])).collect();
            prop_assert_eq!(out, planes);
        }
    }

    #[test]
    fn changed_archives_never_panic(damage in Damage::any(), skip_bad in any::<bool>()) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("all.zip");
        fs::write(&path, damage.of(archive())).unwrap();
        ends(&OwnOptions { labels: LabelSource::Folders, skip_bad, ..options(&path) })?;
    }

    /// Arrays, digits and CIFAR-10's records: what has one file for all images.
    #[test]
    fn changed_files_of_numbers_never_panic(
        kind in prop::sample::select(vec!["a.npy", "a.npz", "a-images-idx3-ubyte", "data_batch_1.bin"]),
        damage in Damage::any(),
        image_size in prop::option::of(Just(8)),
    ) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(kind);
        let pixels: Vec<u8> = (0..9 * 30).map(|number| (number * 37 % 251) as u8).collect();
        let npy = || {
            let mut bytes = Vec::new();
            let mut writer = npyz::WriteOptions::<u8>::new().default_dtype().shape(&[9, 6, 5]).writer(&mut bytes).begin_nd().unwrap();
            npyz::NpyWriter::extend(&mut writer, pixels.iter().copied()).unwrap();
            writer.finish().unwrap();
            bytes
        };
        let bytes = match kind {
            "a.npy" => npy(),
            "a.npz" => {
                let mut archive = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
                archive.start_file("images.npy", zip::write::SimpleFileOptions::default()).unwrap();
                archive.write_all(&npy()).unwrap();
                archive.finish().unwrap().into_inner()
            }
            "data_batch_1.bin" => (0..9 * 3073).map(|place| (place % 10) as u8).collect(),
            _ => {
                idx::write_images(&path, &pixels, 6, 5).unwrap();
                fs::read(&path).unwrap()
            }
        };
        fs::write(&path, damage.of(bytes)).unwrap();
        ends(&OwnOptions { image_size, most_bytes: Some(1 << 24), ..options(&path) })?;
    }

    #[test]
    fn changed_tables_never_panic(damage in Damage::any()) {
        let folder = folder();
        let lines = (0..10).map(|number| format!("{}/{number}.png,{}\n", ["cats", "dogs"][number % 2], number % 3));
        let table = format!("file,label\n{}", lines.collect::<String>());
        fs::write(folder.path().join("labels.csv"), damage.of(table.into())).unwrap();
        ends(&OwnOptions { labels: LabelSource::Table("labels.csv".into()), ..options(folder.path()) })?;
    }
}
