"""BLEU by sacrebleu, and ROUGE-L by rouge-score where that is installed; test/golden/generation.json has both."""

import json
import sys

from sacrebleu.metrics import BLEU


def rouge_l(pairs):
    try:
        from rouge_score.rouge_scorer import RougeScorer
    except ImportError:
        return None
    scorer = RougeScorer(["rougeL"], use_stemmer=False)
    return [scorer.score(reference, text)["rougeL"].fmeasure for text, reference in pairs]


pairs = json.load(sys.stdin)
texts, references = [text for text, _ in pairs], [reference for _, reference in pairs]
corpus, sentence = BLEU(), BLEU(effective_order=True)
result = {
    "corpus_bleu": corpus.corpus_score(texts, [references]).score,
    "signature": str(corpus.get_signature()),
    "sentence_bleu": [sentence.sentence_score(text, [reference]).score for text, reference in pairs],
    "tokens": [corpus.tokenizer(text.rstrip()).split() for text in texts],
    "rouge_l": rouge_l(pairs),
}
json.dump(result, sys.stdout)
