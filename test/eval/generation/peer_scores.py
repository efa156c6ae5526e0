"""BLEU by sacrebleu and ROUGE-L by rouge-score where that is installed, by torchmetrics' own code in any case."""

import json
import sys

from sacrebleu.metrics import BLEU
from torchmetrics.functional.text import rouge_score

pairs = json.load(sys.stdin)
texts, references = [text for text, _ in pairs], [reference for _, reference in pairs]
corpus, sentence = BLEU(), BLEU(effective_order=True)


def torchmetrics_rouge(text, reference):
    return float(rouge_score(text, reference, rouge_keys="rougeL")["rougeL_fmeasure"])


def original_rouge():
    try:
        from rouge_score.rouge_scorer import RougeScorer
    except ImportError:
        return None
    scorer = RougeScorer(["rougeL"], use_stemmer=False)
    return [scorer.score(reference, text)["rougeL"].fmeasure for text, reference in pairs]


result = {
    "corpus_bleu": corpus.corpus_score(texts, [references]).score,
    "signature": str(corpus.get_signature()),
    "sentence_bleu": [sentence.sentence_score(text, [reference]).score for text, reference in pairs],
    "tokens": [corpus.tokenizer(text.rstrip()).split() for text in texts],
    "rouge_l": [torchmetrics_rouge(text, reference) for text, reference in pairs],
    "original_rouge_l": original_rouge(),
}
json.dump(result, sys.stdout)
