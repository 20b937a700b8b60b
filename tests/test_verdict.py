"""Verdicts: what a scraper got instead of an article is told apart, and articles are left alone."""

import random
import textwrap

import numpy as np
import pandas as pd
import pytest

import toolkit
from toolkit.errors import ModelError
from toolkit.verdict import TEXTS, VERDICTS, others, probabilities
from toolkit.verdict.model import LEARNED, SHIPPED, VerdictModel
from training.verdict import save

STORY = (
    "The ferry between Orrin and Sule will stop for nine days in June. The company that owns it said on Tuesday that "
    "the ramp at the northern pier has to be rebuilt after the storms of last winter.\n\nBuses will take the road "
    "around the bay, which adds an hour to the trip. Shopkeepers on the island have asked the county to pay for a "
    "second boat, and Ida Crane, who runs the bakery, wants an answer before the first guests arrive.\n\n"
    "“We live from those three weeks,” she said. The county will decide on Friday."
)
INSTEAD = {
    "error": [
        "404 Not Found\nnginx",
        "Seite nicht gefunden. Diese Adresse gibt es leider nicht mehr.",
        "Erreur 404 : page introuvable",
    ],
    "wall": [
        "Please enable JavaScript and cookies to continue to the site.",
        "Wir verwenden Cookies. Alle akzeptieren Ablehnen Einstellungen",
        "この記事を読むには会員登録またはログインが必要です。",
    ],
    "stub": [
        STORY[:170] + "\n\nSubscribe to read the full story. Already a subscriber? Log in.",
        "Le pont sera fermé jusqu'en juin, a décidé le conseil municipal mardi soir par douze voix contre neuf. Les "
        "commerçants de la place protestent et demandent une passerelle…\n\n"
        "Cet article est réservé aux abonnés. Abonnez-vous pour lire la suite.",
    ],
    "index": ["Latest news\nBridge closed until June\n2 hours ago\nMayor resigns\n3 hours ago\nGoat on A4\nLoad more"],
    "garbled": [
        STORY.replace("“", "â€œ").replace("”", "â€�").encode().decode("cp1252", "replace").replace("a", "Ã¡"),
    ],
    "empty": ["", " \n ", "…"],
    "twice": [STORY + "\n\n" + STORY],
    "article": [STORY, STORY.replace("\n\n", " ")],
}  # fmt: skip
CASES = [(verdict, text) for verdict, texts in INSTEAD.items() for text in texts]


@pytest.fixture(scope="module")
def corpus():
    return pd.DataFrame({"doc_id": [f"d{i}" for i in range(len(CASES))], "text": [text for _, text in CASES]})


def test_each_kind_is_recognised(corpus):
    found = toolkit.verdicts(corpus)
    assert found.columns.tolist() == ["doc_id", "verdict", "probability", "kept"]
    assert found["doc_id"].tolist() == corpus["doc_id"].tolist()
    assert found["verdict"].tolist() == [verdict for verdict, _ in CASES]
    assert found[["probability", "kept"]].map(lambda value: 0 <= value <= 1).all(axis=None)


def test_input_may_be_a_text_a_list_a_series_or_nothing():
    assert toolkit.verdicts(STORY)["verdict"].tolist() == ["article"]
    assert toolkit.verdicts(pd.Series([STORY], index=["x"]))["doc_id"].tolist() == ["x"]
    none = toolkit.verdicts(pd.DataFrame({"text": pd.Series([], dtype="str")}))
    assert none.dtypes.astype(str).tolist() == ["str", "str", "float64", "float64"]


def test_order_and_company_change_nothing(corpus):
    whole = toolkit.verdicts(corpus)
    shuffled = toolkit.verdicts(corpus.sample(frac=1, random_state=0))
    pd.testing.assert_frame_equal(
        whole, shuffled.sort_values("doc_id", key=lambda c: c.str[1:].astype(int), ignore_index=True)
    )
    alone = pd.concat([toolkit.verdicts(corpus.iloc[[i]]) for i in range(len(corpus))], ignore_index=True)
    pd.testing.assert_frame_equal(whole, alone)


def test_kept_is_the_share_that_cleaning_leaves(corpus):
    remover = toolkit.BoilerplateRemover()
    spans = remover.spans(corpus)
    found = toolkit.verdicts(corpus, spans)["kept"]
    gone = (spans["end"] - spans["start"]).groupby(spans["doc_id"]).sum()
    length = corpus["text"].str.len()
    expected = (1 - corpus["doc_id"].map(gone).fillna(0) / length.clip(lower=1)).where(length > 0, 0.0)
    np.testing.assert_allclose(found, expected)
    pd.testing.assert_frame_equal(toolkit.verdicts(corpus), toolkit.verdicts(corpus, spans))


def test_a_short_text_under_fifty_addresses_is_no_article():
    text = "The ferry to Sule left an hour late on Tuesday because of a fallen tree. Nobody was hurt, the company said."
    pages = pd.DataFrame({"text": [text] * 50 + [STORY], "publisher": "orrin.example"})
    assert toolkit.verdicts(pages.iloc[:1])["verdict"].tolist() == ["article"]
    found = toolkit.verdicts(pages)["verdict"]
    assert found.iloc[-1] == "article"
    assert "article" not in set(found.iloc[:-1])
    counted = toolkit.verdicts(pages, remover=toolkit.BoilerplateRemover().fit(pages))["verdict"]
    assert counted.tolist() == found.tolist()


def test_wire_copy_stays_an_article_in_any_number_of_papers_and_an_error_keeps_its_name():
    wire = (
        "The central bank of Orrin left its main interest rate unchanged at 4.25 percent on Thursday, saying that "
        "inflation had slowed for the fifth month in a row but remained above its goal.\n\nGovernor Lena Ferrow told "
        "reporters in Belhaven that food and rents were still rising faster than wages. “We will not declare victory "
        "too early,” she said.\n\nEconomists had expected no change. The crown rose 0.3 percent against the dollar "
        "after the announcement, and shares of the two largest lenders gained.\n\nThe bank meets again on June 12."
    )
    error = "Page not found. The page you were looking for does not exist or has been moved. Go back to the home page."
    for text, wanted in ((wire, "article"), (error, "error")):
        for copies in (1, 4, 18, 300):
            found = toolkit.verdicts(pd.DataFrame({"text": [text] * copies, "publisher": "orrin.example"}))
            assert set(found["verdict"]) == {wanted}, (copies, text)


def test_a_column_wrapped_at_a_margin_reads_as_its_sentences():
    lines = "\n".join(textwrap.wrap(STORY, 28))
    pages = toolkit.verdicts([STORY, lines, "Home\nNews\nSport\nWeather\nJobs\nContact\nArchive\nHelp"])
    assert pages["verdict"].tolist() == ["article", "article", "index"]
    assert pages["probability"][0] == pages["probability"][1]


def test_what_stands_twice_is_offered_as_a_span():
    text = STORY + "\n\nPrint this page\n\n" + STORY
    remover = toolkit.BoilerplateRemover(remove={"twice"})
    (span,) = remover.spans([text]).to_dict("records")
    assert (text[span["start"] : span["end"]], span["kind"]) == (STORY, "twice")
    assert remover.spans([STORY, ""]).empty


def test_topics_leave_out_what_is_no_article(corpus):
    found = toolkit.TopicClassifier(min_confidence=0.0).topics(corpus)
    kept = corpus["doc_id"][[verdict in TEXTS for verdict, _ in CASES]]
    assert set(found["doc_id"]) == set(kept)
    assert sum(found.attrs["missing"].values()) == len(corpus) - len(kept)
    assert found.attrs["missing"]["no article: stub"] == len(INSTEAD["stub"])
    told = corpus.assign(verdict="article")
    assert set(toolkit.TopicClassifier(min_confidence=0.0).topics(told)["doc_id"]) > set(kept)


def test_the_quick_look_agrees_with_the_whole(corpus):
    whole = probabilities(toolkit.corpus.as_corpus(corpus)).idxmax(axis=1)
    expected = whole.where(~whole.isin(TEXTS))
    quick = others(toolkit.corpus.as_corpus(corpus))
    assert quick.fillna("").tolist() == expected.fillna("").tolist()


def test_probabilities_sum_to_one(corpus):
    chances = probabilities(toolkit.corpus.as_corpus(corpus))
    assert chances.columns.tolist() == list(VERDICTS)
    np.testing.assert_allclose(chances.sum(axis=1), 1)


def test_hostile_texts_get_a_verdict():
    rng = random.Random(0)
    texts = ["\0" * 50, "a" * 10**6, "\n" * 10**5, "\u202e" * 99, "🦊" * 999, "{" * 999, "1 " * 999]
    texts += [
        "".join(map(chr, rng.choices([*range(0xD800), *range(0xE000, 0x11000)], k=300))) for _ in range(20)
    ]
    assert toolkit.verdicts(texts)["verdict"].isin(VERDICTS).all()


def test_a_changed_model_is_refused(tmp_path):
    model = VerdictModel.load(SHIPPED)
    save(model, tmp_path / "m")
    again = VerdictModel.load(tmp_path / "m")
    assert all(
        np.array_equal(a.threshold, b.threshold) for a, b in zip(model.trees, again.trees, strict=True)
    )
    (tmp_path / "m.npz").write_bytes((tmp_path / "m.npz").read_bytes()[:-9] + b"123456789")
    with pytest.raises(ModelError, match="SHA-256"):
        VerdictModel.load(tmp_path / "m")


def test_the_model_is_small():
    assert sum(SHIPPED.with_suffix(end).stat().st_size for end in (".npz", ".json")) <= 1 << 20
    assert sorted([*LEARNED, "twice", "empty"]) == sorted(VERDICTS)


def test_what_stands_twice_goes_only_when_asked():
    corpus = pd.DataFrame({"text": [STORY + "\n\nPrint this page\n\n" + STORY, STORY]})
    kept = toolkit.BoilerplateRemover(remove={"twice"})
    spans = kept.spans(corpus)
    assert spans[["doc_id", "kind", "evidence"]].drop_duplicates().values.tolist() == [["0", "twice", "rule"]]
    cleaned = kept.transform(corpus)
    assert cleaned["clean_text"].tolist() == [STORY + "\n\nPrint this page", STORY]
    assert kept.spans(cleaned["clean_text"]).empty
    assert "twice" not in set(toolkit.BoilerplateRemover().spans(corpus)["kind"])


def test_show_has_a_line():
    corpus = pd.DataFrame(
        {"doc_id": ["a"], "text": ["404 Not Found"], "clean_text": [""], "verdict": ["error"]}
    )
    assert repr(toolkit.show(corpus, doc_id="a")).endswith("removed (100.0 %); no article: error")
    assert "no article" not in repr(toolkit.show(corpus.assign(verdict="article"), doc_id="a"))


def test_one_line_that_reads_on_is_no_index_and_a_bar_is():
    headlines = [
        "Man jailed for nine years over stabbing outside nightclub", "Teachers' college to close; pupils to move",
        "Rovers beat Albion 3-1 to go top of the league", "Regierung einigt sich mit den Ländern über Reform",
    ]  # fmt: skip
    bars = [
        "Home | News | Sport | Weather | Video | Contact us",
        "News · Politics · Sport · The best of the week",
    ]
    found = toolkit.verdicts(headlines + bars)["verdict"].tolist()
    assert "index" not in found[:4], found
    assert found[4:] == ["index"] * 2


def test_a_short_story_stays_an_article_under_the_lines_of_its_house():
    body = [
        "The city council voted on Monday to reopen the tram depot at Mill Quay after a debate of six hours.",
        "Mayor Ana Torres said the decision would bring 200 jobs back to the harbour.",
        "Work is to start in spring 2025, and the first trams could run soon.",
    ]
    letter = "Sign up to our newsletter The Early Boat for more stories like this."
    note = "© Harbour Post 2024"
    pages = [[*body, note], [body[0], letter, *body[1:]], [body[0], letter, *body[1:], note]]
    assert toolkit.verdicts(["\n\n".join(page) for page in pages])["verdict"].tolist() == ["article"] * 3
    teasers = [
        "Council votes to reopen tram depot",
        "Harbour bridge closed for repairs",
        "Lions beat Rovers late",
    ]
    teasers += [
        "Five recipes for a rainy weekend",
        "Rates to rise again, bank says",
        "Storm warning for the coast",
    ]
    listed = "\n".join(["Home", "News", "Sport", *teasers, "Read more", note])
    assert toolkit.verdicts(listed)["verdict"].tolist() == ["index"]


MENUS = "Skip to content\nMenu\nSearch\nHome\nTown\nCounty\nSport\nWeather\nJobs\nYou are here: Home / Town\n"
FURTHER = {
    "page": MENUS + STORY + "\nAbout us\nContact\nTerms\nCookie settings\nAdvertise\n© 2031 Orrin Weekly\nBack to top",
    "ja": (
        "◆雪かきの塔、三日で完成◆\n白沢村の広場に１０日、高さ９メートルの雪の塔が立った。村の青年団の１６人が、家々の屋根から"
        "下ろした雪を軽トラックで７０回運び、３日がかりで積んだ。\n団長の畑中一郎さん（３４）は「捨てる場所がなくて始めたが、"
        "今年は県外からも見に来てくれる」と話す。塔は気温が１０度を超える日まで残す。\n◇\n村では昨年、雪の重みで小屋４棟が"
        "つぶれた。村は来年度、雪下ろしの手当を１時間１２００円に上げる方針だ。\n写真＝広場に立った雪の塔（１０日、白沢村で）"
    ),
    "tr": (
        "Sabah Postası - Konut kiraları ekimde bir önceki aya göre yüzde 3,8 arttı. Kentsel Veri Merkezi'nin "
        "yayımladığı endekse göre yıllık artış yüzde 61,2 oldu.\nEn yüksek artış yüzde 5,1 ile Edirne'de, en düşük "
        "artış yüzde 0,9 ile Rize'de görüldü. Metrekare başına ortalama kira 187 liradan 194 liraya "
        "çıktı.\nMerkez, öğrenci kentlerinde hareketin kasımda yavaşlamasını bekliyor.\nKHA"
    ),
    "id": (
        "Indeks Saham Nusantara ditutup melemah 0,74% ke level 6.311,20 pada Rabu, turun 47 poin dari hari sebelumnya. "
        "Sebanyak 212 saham turun, 141 naik dan 160 tetap.\nTekanan datang dari sektor perbankan setelah bank sentral "
        "menahan suku bunga di 6,25%. Saham Bank Lontar turun 2,3%, sedangkan Tambang Arunika naik 4,1%.\nRupiah "
        "diperdagangkan di Rp15.980 per dolar.\nPergerakan indeks (poin)\nSenin 6.402\nSelasa 6.358\nRabu 6.311"
    ),
    "pl": (
        "Kolejarz wygrywa po karnych i gra dalej\n\nSiatkarki Kolejarza Ruda pokonały w środę Gwardię Lipno 3:2 "
        "(25:21, 19:25, 25:23, 22:25, 15:12) i awansowały do ćwierćfinału. Najwięcej punktów, 24, zdobyła Hanna "
        "Lis.\n\nW drugim meczu Orlęta przegrały z Chrobrym 1:3. Losowanie następnej rundy odbędzie się w piątek. (mk)"
    ),
}  # fmt: skip


@pytest.mark.parametrize("kind", FURTHER)
def test_headlines_marks_figures_menus_and_other_languages_make_no_index(kind):
    assert toolkit.verdicts(FURTHER[kind])["verdict"].tolist() == ["article"]


SHORT = [
    "Rain fell on the port.", "Heavy snow and gales forecast for the weekend …", "Minister resigns", "Sugar up 4%",
    "Two ferries collided off Sule. Nobody was hurt.", "DAM BURSTS ABOVE MILL TOWN", "the tram depot is open again",
    "Es regnete im Hafen.", "Zwei Fähren stießen vor Sule zusammen. Verletzt wurde niemand.", "Ministerin tritt zurück",
    "Il a plu sur le port.", "Deux bacs se sont heurtés au large. Pas de blessés.", "La ministre démissionne",
    "Llovió en el puerto.", "Dos transbordadores chocaron. No hay heridos.", "Dimite la ministra",
    "È piovuto sul porto.", "Due traghetti si sono scontrati. Nessun ferito.", "La ministra si dimette",
    "Choveu no porto.", "Dois barcos chocaram. Ninguém ficou ferido.", "Ministra pede demissão",
    "Het regende in de haven.", "Twee veerboten botsten. Niemand raakte gewond.", "Minister stapt op",
    "Det regnade i hamnen.", "Två färjor krockade. Ingen skadades.", "Ministern avgår",
    "W porcie padał deszcz.", "Zderzyły się dwa promy. Nikt nie ucierpiał.", "Minister podaje się do dymisji",
    "Шёл дождь в порту.", "Столкнулись два парома. Никто не пострадал.", "港に雨が降った。",
    "フェリー2隻が衝突、けが人なし",
]  # fmt: skip
NO_NEWS = [
    "404 Not Found", "Access denied", "Page not found.", "Internal server error", "Verify you are human.",
    "Please enable cookies.", "Log in to read on.", "Seite nicht gefunden", "Zugriff verweigert", "Bitte anmelden.",
    "Page introuvable", "Accès refusé", "Acepta las cookies para continuar.", "Página no encontrada", "Accesso negato",
    "Pagina non trovata", "Página não encontrada", "Pagina niet gevonden", "Sidan hittades inte", "Logga in",
    "Nie znaleziono strony", "Страница не найдена", "ページが見つかりません",
]  # fmt: skip


def test_a_short_text_is_news_unless_its_words_say_otherwise():
    found = toolkit.verdicts(SHORT + NO_NEWS)["verdict"]
    wrong = {text for text, verdict in zip(SHORT, found, strict=False) if verdict != "article"}
    wrong |= {
        text for text, verdict in zip(NO_NEWS, found[len(SHORT) :], strict=True) if verdict == "article"
    }
    assert not wrong
