// The texts that people agree to, in English, by purpose and version. A published text never
// changes: another wording is another version, since consents name the version that was read.
import type { TranslationOf } from "./catalogue.ts";
import type { CONSENTS_FR } from "./consents.fr.ts";

export const CONSENTS_EN: TranslationOf<typeof CONSENTS_FR> = {
  terms_1_title: "Terms of use",
  terms_1_body: `What the service does
You link a bank account; your card purchases at partner brands earn you points. The service is free. You must have the minimum age shown in the app, give your true date of birth and have one account only.

Your points
Each purchase is judged by the offer in force on that day, and the app gives the reason of each decision. Points are pending at first; they become available at the end of the offer's confirmation period. If a purchase is refunded or cancelled, the points it gave are taken back, even if they have been used: the balance may then become negative, and later points make up for it. Available points expire after the time shown in the app; a message tells you before. Points are not money: they bear no interest and can be neither sold nor passed on.

Your account
You sign in with your e-mail address or a passkey; give the codes that you receive to nobody. If purchases look invented, or if the limits of an offer are worked around, earning may be suspended until a person has examined the case. You can contest their decision.

Changes and end
An offer may be stopped; points that you have earned stay yours. If these terms change, the new version has a new number and binds you only with your consent. You can leave the service whenever you like.

Complaints
The legal notice of the app gives the operator's address, its processors and the authorities that you can turn to. French law applies.`,
  bank_data_1_title: "Access to your bank accounts",
  bank_data_1_body: `What you allow
Powens, a licensed provider of account information services, reads the accounts that you choose and passes your card transactions on to us. You enter your bank credentials with Powens or your bank, never with us. This access allows no payment.

What we keep
The label, the date and the amount of your card payments and their refunds, encrypted with a key of your account alone. Everything else (balances, transfers, direct debits, savings, loans, recipients) is discarded before anything is stored.

Why
To recognise the brand, calculate your points, find refunds, prevent the same bank account from earning twice and detect fraud.

For how long
The access lasts until the date shown with each connection; you can renew it then. What we keep is erased together with your account.

Withdrawing this consent
You can at any time, in the app. Your connections then end, with us and with Powens, and nothing more is read. Points that you have earned stay yours. Without this consent no bank can be linked.`,
  recommendations_1_title: "Suggested offers",
  recommendations_1_body: `What you allow
Your recognised purchases may be compared with those of other people who also agree, to show you first the offers that are most likely to be of use to you. Each suggestion says why it is made.

What does not happen
Neither your purchases nor your name are passed on to brands. Suggestions change neither your points nor the offers that you are entitled to.

Withdrawing this consent
You can at any time, in the app, and lose nothing. Your own figures and the list of all offers stay open to you without this consent.`,
  statistics_1_title: "Statistics",
  statistics_1_body: `What you allow
Some of your card purchases may enter a sample, without your name or e-mail address and under an identifier that means you in this sample only. It serves to estimate the effect of an offer before it is published and to recognise brands better.

What does not happen
The sample is neither sold nor passed on. It serves no decision about your points.

Withdrawing this consent
You can at any time, in the app, and lose nothing: your purchases are then removed from the sample. Your own figures stay open to you without this consent.`,
  marketing_1_title: "Messages about offers",
  marketing_1_body: `What you allow
We may write to you about offers that are new or about to end. To choose the right moment, our communication tools, named in the legal notice, may learn that a purchase earned you points: a random identifier, the brand, the points and the dates. Never your name, nor the label or the amount of a purchase.

What does not depend on this consent
Messages about your account, such as a code, a new sign-in or points about to expire, reach you in any case.

Withdrawing this consent
You can at any time, in the app, and lose nothing. Nothing more is then sent, neither to you nor to these tools.`,
};
