//! The languages that people read, and texts in all of them.
//!
//! A [`Text`] has one field per language, and [`text!`] wants one wording for each: what is said in English and not in
//! Korean does not compile. Programs (JSON, SARIF, codes) always get the English one, which is what a text dereferences to.

use std::borrow::Cow;
use std::fmt;
use std::ops::Deref;

/// A language that output for people is written in.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Language {
    /// `en`
    #[default]
    English,
    /// `ko`
    Korean,
}

impl Language {
    /// Every language, the one of programs first.
    pub const ALL: [Self; 2] = [Self::English, Self::Korean];

    /// The language of a locale such as `ko_KR.UTF-8`; English for `C`, for every language that there is no text in, and
    /// where the terminal wants other bytes than UTF-8 (`ko_KR.eucKR`).
    pub fn of_locale(name: &str) -> Self {
        let (place, encoding) = name.split_once('.').unwrap_or((name, "UTF-8"));
        let encoding = encoding.split('@').next().unwrap_or(encoding);
        let is_utf8 = ["utf-8", "utf8"].iter().any(|utf8| encoding.eq_ignore_ascii_case(utf8));
        let language = place.split(['_', '@', '-']).next().unwrap_or(place);
        if is_utf8 && language.eq_ignore_ascii_case("ko") { Self::Korean } else { Self::English }
    }
}

/// The same said in every language.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Text {
    english: Cow<'static, str>,
    korean: Cow<'static, str>,
}

impl Text {
    /// One wording per language.
    pub fn new(english: impl Into<Cow<'static, str>>, korean: impl Into<Cow<'static, str>>) -> Self {
        Self { english: english.into(), korean: korean.into() }
    }

    /// The wording in one language.
    pub fn in_language(&self, language: Language) -> &str {
        match language {
            Language::English => self.as_str(),
            Language::Korean => self.korean(),
        }
    }

    /// What English readers and programs get.
    pub fn as_str(&self) -> &str {
        &self.english
    }

    /// What Korean readers get.
    pub fn korean(&self) -> &str {
        &self.korean
    }

    /// Whether it is said differently in different languages.
    pub fn is_translated(&self) -> bool {
        self.english != self.korean
    }

    /// Several texts with something between them.
    pub fn joined<'a>(texts: impl IntoIterator<Item = &'a Self> + Clone, between: &Self) -> Self {
        let of = |language| {
            let parts: Vec<&str> = texts.clone().into_iter().map(|text| text.in_language(language)).collect();
            parts.join(between.in_language(language))
        };
        Self::new(of(Language::English), of(Language::Korean))
    }
}

impl Deref for Text {
    type Target = str;

    fn deref(&self) -> &str {
        self.as_str()
    }
}

impl fmt::Display for Text {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl PartialEq<&str> for Text {
    fn eq(&self, other: &&str) -> bool {
        self.as_str() == *other
    }
}

/// A name is the same in every language.
impl From<&str> for Text {
    fn from(name: &str) -> Self {
        name.to_owned().into()
    }
}

/// A name is the same in every language.
impl From<String> for Text {
    fn from(name: String) -> Self {
        Self::new(name.clone(), name)
    }
}

/// A name is the same in every language.
impl From<&String> for Text {
    fn from(name: &String) -> Self {
        name.as_str().into()
    }
}

impl From<&Self> for Text {
    fn from(text: &Self) -> Self {
        text.clone()
    }
}

/// A name is the same in every language.
impl From<Cow<'static, str>> for Text {
    fn from(name: Cow<'static, str>) -> Self {
        Self::new(name.clone(), name)
    }
}

/// `text!("{name} is off", "{name}: 꺼져 있음")` captures as `format!` does. Parts that are texts themselves are named
/// behind a semicolon, and other expressions get a name: `text!("on {host}", "{host}", host = &self.host.name)`,
/// `text!("it depends on {what}", "{what}에 달려 있습니다"; what)`. Korean particles follow a noun
/// of the wording, or are those that have one form (에, 에서, 의, 도, 만), because names end in all kinds of sounds.
macro_rules! text {
    ($english:literal, $korean:literal $(, $name:ident = $value:expr)+ $(; $($part:ident),+)?) => {{
        $(let $name = $value;)+
        text!($english, $korean $(; $($part),+)?)
    }};
    ($english:literal, $korean:literal $(; $($part:ident),+)?) => {
        $crate::language::Text::new(
            { $($(let $part = $part.as_str();)+)? format!($english) },
            { $($(let $part = $part.korean();)+)? format!($korean) },
        )
    };
}
pub(crate) use text;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_locale_names_its_language() {
        let check = |name, expected| assert_eq!(Language::of_locale(name), expected, "{name}");
        check("ko_KR.UTF-8", Language::Korean);
        check("ko", Language::Korean);
        check("ko_KR.eucKR", Language::English);
        check("ko_KR.utf8@hangul", Language::Korean);
        check("KO-kr", Language::Korean);
        check("kok_IN", Language::English);
        check("C.UTF-8", Language::English);
        check("", Language::English);
        check("de_DE", Language::English);
    }

    #[test]
    fn parts_are_said_in_the_language_of_the_whole() {
        let (name, seen) = ("web", text!("refused", "연결 거부"));
        let whole = text!("{name}: {seen}", "{name}에서 {seen}"; seen);
        assert_eq!((whole.as_str(), whole.korean()), ("web: refused", "web에서 연결 거부"));
        assert_eq!(whole.to_string(), whole.in_language(Language::English));
        let both = Text::joined([&seen, &whole], &text!(" and ", " 그리고 "));
        assert_eq!(both.korean(), "연결 거부 그리고 web에서 연결 거부");
    }
}
