"""Which language a prompt is in, when it is not English. Guessed by its letters and its most frequent words."""

from __future__ import annotations

import re
import unicodedata

_SCRIPTS = {
    "HIRAGANA": "Japanese",
    "KATAKANA": "Japanese",
    "HANGUL": "Korean",
    "CJK": "Chinese",
    "CYRILLIC": "Russian or another Cyrillic language",
    "ARABIC": "Arabic or another language in its script",
    "HEBREW": "Hebrew",
    "GREEK": "Greek",
    "THAI": "Thai",
    "DEVANAGARI": "Hindi",
    "BENGALI": "Bengali",
    "TAMIL": "Tamil",
}
_WORDS = {
    "Spanish": "el los las una un con y que se del para por llamado llamada suministro crea crear quiero pueda nombre"
    " contrato millones símbolo simbolo sin acuñar dueño propietario mi de",
    "Portuguese": "o os um uma com e que se do da para por chamado chamada fornecimento crie criar quero possa nome"
    " contrato milhões símbolo sem cunhar dono proprietário meu não de",
    "French": "le la les un une avec et que qui du des pour par appelé appelée offre crée créer créez je veux peut nom"
    " contrat millions symbole sans frapper propriétaire mon jeton nommé de",
    "German": "der die das ein eine einen mit und dass von für genannt namens angebot erstelle erstellen ich will kann"
    " vertrag millionen symbol ohne prägen eigentümer mein nicht soll wird heißt",
    "Italian": "il lo la gli un una con e che si del della per chiamato chiamata fornitura crea creare voglio nome"
    " contratto milioni simbolo senza coniare proprietario mio di",
    "Dutch": "de het een met en dat van voor genaamd aanbod maak maken ik wil kan naam contract miljoen symbool zonder"
    " eigenaar mijn niet",
    "Turkish": "bir ve ile için adında adlı arz oluştur istiyorum milyon sembol olan toplam",
    "Polish": "i z ze do na jest się nazwie o token utwórz stwórz milionów podaż bez chcę właściciel nazwany symbolem",
    "Indonesian": "dan dengan yang untuk bernama buat saya ingin juta pasokan simbol tanpa pemilik total",
    "Vietnamese": "và với tạo một tên là cho tôi muốn triệu cung ký hiệu không tổng",
    "Swedish": "en ett och med som heter skapa jag vill miljoner utan ägare namn av för inte",
    "Romanian": "un o și cu care se pentru numit creează vreau milioane fără proprietar nume simbol de",
}
_FREQUENT = {language: frozenset(words.split()) for language, words in _WORDS.items()}
_ENGLISH = frozenset(
    [
        "the",
        "a",
        "an",
        "with",
        "and",
        "of",
        "to",
        "for",
        "that",
        "is",
        "are",
        "be",
        "it",
        "in",
        "on",
        "by",
        "called",
        "named",
        "supply",
        "create",
        "make",
        "build",
        "total",
        "initial",
        "can",
        "not",
        "no",
        "should",
        "which",
        "has",
        "have",
        "my",
        "i",
        "want",
        "tokens",
        "please",
        "mintable",
        "burnable",
    ]
)


def language_of(text: str) -> str | None:
    """Return the name of the language that a text is in; None for English, and where it is too little to judge."""
    bare = re.sub(r"\b0x[0-9a-fA-F]+\b|\"[^\"\n]*\"|“[^”\n]*”|«[^»\n]*»|(?<!\w)'[^'\n]*'", " ", text)
    letters = [character for character in bare if character.isalpha()]
    foreign = [unicodedata.name(character, "").split(" ")[0] for character in letters if ord(character) > 0x24F]
    if len(foreign) > 0.3 * len(letters):
        named = {_SCRIPTS[script] for script in foreign if script in _SCRIPTS}
        return "Japanese" if "Japanese" in named else min(named, default="another script")
    words = re.findall(r"[^\W\d_]+", bare.lower())
    english = sum(word in _ENGLISH for word in words)
    counts = {language: sum(word in known for word in words) for language, known in _FREQUENT.items()}
    best = max(counts, key=lambda language: counts[language])
    return best if counts[best] >= 3 and counts[best] > english else None
