//! The value of a setting, as it is read from a settings file and saved into one.

use toml_edit::{Array, Value};

/// The value of a setting.
#[derive(Clone, Debug, PartialEq)]
pub enum SettingValue {
    /// `true` or `false`.
    Flag(bool),
    /// A number.
    Number(f64),
    /// A text.
    Text(String),
    /// A list of strings.
    List(Vec<String>),
}

impl SettingValue {
    /// Whether it is `true`.
    pub(crate) const fn flag(&self) -> bool {
        matches!(self, Self::Flag(true))
    }

    /// The text; empty where it is none.
    pub(crate) fn text(&self) -> &str {
        match self {
            Self::Text(text) => text,
            _ => "",
        }
    }

    /// The list; empty where it is none.
    pub(crate) fn list(&self) -> &[String] {
        match self {
            Self::List(texts) => texts,
            _ => &[],
        }
    }
}

impl From<&SettingValue> for Value {
    fn from(value: &SettingValue) -> Self {
        match value {
            SettingValue::Flag(on) => (*on).into(),
            // Seconds are whole numbers mostly.
            SettingValue::Number(number) if number.fract() == 0.0 => (*number as i64).into(),
            SettingValue::Number(number) => (*number).into(),
            SettingValue::Text(text) => text.as_str().into(),
            SettingValue::List(texts) => {
                Self::Array(texts.iter().map(String::as_str).collect::<Array>())
            }
        }
    }
}
