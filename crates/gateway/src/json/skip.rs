//! Walking over a container that nobody asks for.

use super::whole::end_of_run;

/// Counts brackets outside of strings until the container ends.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Skip {
    /// Brackets that are open.
    brackets: u64,
    is_in_string: bool,
    is_escaped: bool,
}

impl Skip {
    /// Behind the opening bracket of a container.
    pub(super) const fn begun() -> Self {
        Self {
            brackets: 1,
            is_in_string: false,
            is_escaped: false,
        }
    }

    pub(super) const fn is_in_string(&self) -> bool {
        self.is_in_string
    }

    /// Walks on; gives what is behind the container once it ended. `passed` is
    /// told of each string that lies whole in these bytes: how many of them are
    /// left where it begins, and where it ends.
    pub(super) fn walk<'a>(
        &mut self,
        mut bytes: &'a [u8],
        mut passed: impl FnMut(usize, usize),
    ) -> Option<&'a [u8]> {
        if self.is_in_string {
            bytes = self.string(bytes)?;
        }
        loop {
            let at = bytes.iter().position(|byte| is_structure(*byte))?;
            let (&byte, rest) = bytes.get(at..)?.split_first()?;
            bytes = rest;
            match byte {
                b'"' => {
                    self.is_in_string = true;
                    let begins = bytes.len();
                    bytes = self.string(bytes)?;
                    passed(begins, bytes.len() + 1);
                }
                b'{' | b'[' => self.brackets += 1,
                _ => self.brackets -= 1,
            }
            if self.brackets == 0 {
                return Some(bytes);
            }
        }
    }

    /// Walks on in a string; gives what is behind it once it ended.
    fn string<'a>(&mut self, mut bytes: &'a [u8]) -> Option<&'a [u8]> {
        loop {
            if self.is_escaped {
                (_, bytes) = bytes.split_first()?;
                self.is_escaped = false;
            }
            let at = end_of_run(bytes)?;
            let (&byte, rest) = bytes.get(at..)?.split_first()?;
            bytes = rest;
            if byte == b'"' {
                self.is_in_string = false;
                return Some(bytes);
            }
            self.is_escaped = true;
        }
    }
}

/// What is behind a string's end, from behind its opening quote on; `None` where
/// it doesn't end here.
pub(super) fn behind_string(bytes: &[u8]) -> Option<&[u8]> {
    let mut skip = Skip {
        is_in_string: true,
        ..Skip::default()
    };
    skip.string(bytes)
}

const fn is_structure(byte: u8) -> bool {
    matches!(byte, b'"' | b'{' | b'}' | b'[' | b']')
}
