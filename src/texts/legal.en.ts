// The legal notice, in English.
import type { TranslationOf } from "./catalogue.ts";
import type { LEGAL_FR } from "./legal.fr.ts";

export const LEGAL_EN: TranslationOf<typeof LEGAL_FR> = {
  provider_role:
    "Powens, a licensed institution, provides the account information service and reads your accounts with your consent",
  agent_status:
    "The operator acts as an agent of the provider; you can check its registration in the register",
  kept_rows_what: "Label, date and amount of card payments and their refunds",
  kept_rows_why: "To recognise the brand and calculate the points",
  kept_rows_until: "Until the account is erased",
  kept_profile_what: "E-mail address and profile, encrypted",
  kept_profile_why: "To sign you in and check your age",
  kept_profile_until: "Until the account is erased",
  kept_ledger_what: "Ledger of points, under a random identifier",
  kept_ledger_why: "To prove that your points are right",
  kept_ledger_until: "Ten years for accounting, without personal data once the account is erased",
  never_credentials: "Your bank credentials: you enter them with Powens, never with us",
  never_other_data:
    "Your balances, IBANs, savings, loans, transfers, direct debits and their recipients: we do not keep them",
  never_payment_orders: "No payment orders: we can neither debit nor transfer your money",
  hosting_statement: "The data is stored and the ledger is run in the European Union",
  hosting_statement_undeclared: "The operator has not declared where the data is stored",
  complaints_how:
    "To contest a purchase or for anything else, write to us. If our answer does not satisfy you, you can turn to these authorities.",
  about_payment_services: "Payment services",
  about_personal_data: "Personal data",
  halt_ended: "The halt has ended, or somebody has just changed it.",
  halted_payouts:
    "Payouts are suspended; requests keep their points and can be cancelled, and no points expire.",
  halted_confirmations: "Pending points stay pending until this resumes, and no points expire.",
  halted_linking: "No bank can be linked or renewed for the moment.",
  halted_offers: "Purchases wait until this resumes and are then judged by the offer of their day.",
};
