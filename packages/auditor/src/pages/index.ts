/** All pages for people. */
import { coveragePage } from './coverage-page.js';
import { decisionPage } from './decision-page.js';
import { homePage } from './home-page.js';
import type { AuditPage } from './page.js';
import { type AskedOnPage, questionPage } from './question-page.js';
import { QUESTIONS } from './questions.js';
import { releasePage } from './release-page.js';
import { sitePage } from './site-page.js';
import { statementPage } from './statement-page.js';
import { verifyPage } from './verify-page.js';

/** Every page; `more` are questions that another package answers. */
export function auditPages(more: readonly AskedOnPage[] = []): readonly AuditPage[] {
  const questions = [...QUESTIONS, ...more];
  return [
    homePage(questions),
    releasePage,
    coveragePage,
    sitePage,
    decisionPage,
    statementPage,
    verifyPage,
    ...questions.map(questionPage),
  ];
}
