use proptest::prelude::*;

use super::*;

/// A header of version 1.0 with this text.
fn header(text: &[u8]) -> Vec<u8> {
    let length = u16::try_from(text.len()).unwrap().to_le_bytes();
    [MAGIC, &[1, 0], &length, text].concat()
}

fn read(bytes: &[u8]) -> Result<NpyHeader, String> {
    read_header(&mut &bytes[..], Path::new("array.npy")).map_err(|error| error.to_string())
}

#[track_caller]
fn refused(text: &str, word: &str) {
    let error = read(&header(text.as_bytes()))
        .map(|header| description(&header))
        .unwrap_err();
    assert!(error.starts_with("array.npy: ") && error.contains(word), "{error}");
}

#[test]
fn headers_of_all_versions_are_read() {
    let text = b"{'descr': '>f8', 'fortran_order': True, 'shape': (9, 28, 28), }     \n";
    let length = u32::try_from(text.len()).unwrap().to_le_bytes();
    let mut all = vec![header(text)];
    for version in [2, 3] {
        all.push([MAGIC, &[version, 0], &length, &text[..]].concat());
    }
    for bytes in all {
        let found = read(&bytes).unwrap();
        assert_eq!(description(&found), "'>f8', 9×28×28");
        let array = ImageArray::of(found).unwrap();
        assert_eq!((array.element, array.layout.count()), (Element::F64, 9));
        for length in 0..bytes.len() {
            let error = read(&bytes[..length]).map(|_| length).unwrap_err();
            assert!(error.contains("incomplete"), "{error}");
        }
    }
}

#[test]
fn other_files_are_named() {
    assert!(
        read(b"PK\x03\x04 and so on")
            .map(|_| ())
            .unwrap_err()
            .contains("50, 4b")
    );
    let version = [MAGIC, b"\x04\x00\x00\x00"].concat();
    assert!(read(&version).map(|_| ()).unwrap_err().contains("version 4.0"));
    let long = [MAGIC, b"\x02\x00\x00\x00\x01\xff"].concat();
    assert!(read(&long).map(|_| ()).unwrap_err().contains("header of 42"));
}

#[test]
fn only_plain_numbers_are_images() {
    for (descr, element) in [
        ("|u1", Some(Element::U8)),
        ("<f2", Some(Element::F16)),
        (">i8", Some(Element::I64)),
    ] {
        let text = format!("{{'descr': '{descr}', 'fortran_order': False, 'shape': (1, 2, 2), }}");
        let array = ImageArray::of(read(&header(text.as_bytes())).unwrap());
        assert_eq!(array.map(|array| array.element), element);
    }
    for descr in ["|b1", "|i1", "<u2", "<c8", "|O", "<U7"] {
        let text = format!("{{'descr': '{descr}', 'fortran_order': False, 'shape': (1, 2, 2), }}");
        assert!(
            ImageArray::of(read(&header(text.as_bytes())).unwrap()).is_none(),
            "{descr}"
        );
    }
}

#[test]
fn a_promise_of_too_much_is_refused() {
    let shape = |shape: &str| format!("{{'descr': '|u1', 'fortran_order': False, 'shape': {shape}, }}");
    refused(&shape("(2097152, 32, 33)"), "at most 2147483648 bytes");
    refused(&shape("(18446744073709551615, 18446744073709551615)"), "promises 34028");
    // Nothing is in it, but the product of its other sides does not fit.
    refused(&shape("(0, 18446744073709551615, 2)"), "promises");
    assert!(read(&header(shape("(2097152, 32, 32)").as_bytes())).is_ok());
    assert!(read(&header(shape("(0, 28, 28)").as_bytes())).is_ok());
    assert!(read(&header(shape("()").as_bytes())).is_ok());
}

#[test]
fn headers_that_could_do_harm_are_refused() {
    refused(&"(".repeat(60_000), "plain numbers");
    refused(
        "{'descr': [('a', '<f4')], 'fortran_order': False, 'shape': (1,), }",
        "plain numbers",
    );
    refused(
        "{'descr': '''|u1''', 'fortran_order': False, 'shape': (1,), }",
        "plain numbers",
    );
    refused(
        r"{'descr': '\|u1', 'fortran_order': False, 'shape': (1,), }",
        "plain numbers",
    );
    for number in [
        "-1",
        "1.5",
        "1e9",
        "0x7fffffff",
        "1_000",
        "1+1j",
        "9L",
        "99999999999999999999",
    ] {
        let text = format!("{{'descr': '|u1', 'fortran_order': False, 'shape': ({number},), }}");
        refused(&text, "plain numbers");
    }
    refused("{'descr': '|u1', 'fortran_order': False}", "plain numbers");
    refused("('descr', )))", "plain numbers");
    refused("{'descr': '|u1", "plain numbers");
}

proptest! {
    #[test]
    fn a_changed_header_does_no_harm(
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..6),
        words in prop::collection::vec("[0-9{}(),:' TF]{0,6}|True|False|'descr'|'shape'|'\\|u1'", 0..20),
    ) {
        let mut bytes = header(b"{'descr': '<f4', 'fortran_order': False, 'shape': (9, 28, 28), }");
        for (at, byte) in changes {
            let at = at.index(bytes.len());
            bytes[at] = byte;
        }
        for bytes in [bytes, header(words.concat().as_bytes())] {
            if let Ok(header) = read(&bytes) {
                let _ = (description(&header), ImageArray::of(header).map(|array| array.layout.len()));
            }
        }
    }
}
