// Every catalogue of texts: the two languages of an area, tied together. The sentences themselves
// are in the files of each language.
import { catalogue } from "./catalogue.ts";
import { BANKING_EN } from "./banking.en.ts";
import { BANKING_FR } from "./banking.fr.ts";
import { CONSENTS_EN } from "./consents.en.ts";
import { CONSENTS_FR } from "./consents.fr.ts";
import { CHECKS_EN } from "./checks.en.ts";
import { CHECKS_FR } from "./checks.fr.ts";
import { LANDING_EN } from "./landing.en.ts";
import { LANDING_FR } from "./landing.fr.ts";
import { DAYS_EN } from "./days.en.ts";
import { DAYS_FR } from "./days.fr.ts";
import { LEGAL_EN } from "./legal.en.ts";
import { LEGAL_FR } from "./legal.fr.ts";
import { MAILS_EN } from "./mails.en.ts";
import { MAILS_FR } from "./mails.fr.ts";
import { OFFERS_EN } from "./offers.en.ts";
import { OFFERS_FR } from "./offers.fr.ts";
import { PROBLEM_DETAILS_EN } from "./problem-details.en.ts";
import { PROBLEM_DETAILS_FR } from "./problem-details.fr.ts";
import { PROBLEMS_EN } from "./problems.en.ts";
import { PROBLEMS_FR } from "./problems.fr.ts";
import { READINESS_EN } from "./readiness.en.ts";
import { READINESS_FR } from "./readiness.fr.ts";
import { REASONS_EN } from "./reasons.en.ts";
import { REASONS_FR } from "./reasons.fr.ts";
import { REVIEWS_EN } from "./reviews.en.ts";
import { REVIEWS_FR } from "./reviews.fr.ts";
import { TRANSFER_EN } from "./transfer.en.ts";
import { TRANSFER_FR } from "./transfer.fr.ts";
import { UNDO_EN } from "./undo.en.ts";
import { UNDO_FR } from "./undo.fr.ts";
import { VALIDATION_EN } from "./validation.en.ts";
import { VALIDATION_FR } from "./validation.fr.ts";

/** Why a purchase or a refund earned what it earned. */
export const REASONS = catalogue(REASONS_FR, REASONS_EN);
/** What each rule needed and what it found. */
export const CHECKS = catalogue(CHECKS_FR, CHECKS_EN);
/** Titles of refusals, one for each code. */
export const PROBLEMS = catalogue(PROBLEMS_FR, PROBLEMS_EN);
/** Rows that wait for a person: why, and why a decision is refused. */
export const REVIEWS = catalogue(REVIEWS_FR, REVIEWS_EN);
/** What to do about a refusal, one for each code, and what it is about. */
export const PROBLEM_DETAILS = catalogue(PROBLEM_DETAILS_FR, PROBLEM_DETAILS_EN);
/** Brands and offers: what is wrong with one, and whether an offer applies. */
export const OFFERS = catalogue(OFFERS_FR, OFFERS_EN);
/** What a schema found wrong with a field. */
export const VALIDATION = catalogue(VALIDATION_FR, VALIDATION_EN);
/** The e-mails. */
export const MAILS = catalogue(MAILS_FR, MAILS_EN);
/** The page behind a mail's undo link. */
export const UNDO = catalogue(UNDO_FR, UNDO_EN);
/** The page at the root address. */
export const LANDING = catalogue(LANDING_FR, LANDING_EN);
/** Why the service is not ready. */
export const READINESS = catalogue(READINESS_FR, READINESS_EN);
/** The texts that people agree to. */
export const CONSENTS = catalogue(CONSENTS_FR, CONSENTS_EN);
/** The legal notice. */
export const LEGAL = catalogue(LEGAL_FR, LEGAL_EN);
/** What users and operators are answered about bank connections. */
export const BANKING = catalogue(BANKING_FR, BANKING_EN);
/** What is wrong with a day of a query. */
export const DAYS = catalogue(DAYS_FR, DAYS_EN);
/** Why a page of an archive is not given or not taken. */
export const TRANSFER = catalogue(TRANSFER_FR, TRANSFER_EN);
