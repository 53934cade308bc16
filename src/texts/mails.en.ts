// The e-mails, in English. Only those that can be undone have a link: a message without one teaches
// people never to follow one.
import type { TranslationOf } from "./catalogue.ts";
import type { MAILS_FR } from "./mails.fr.ts";

export const MAILS_EN: TranslationOf<typeof MAILS_FR> = {
  sign_in_subject: "Your Cagnotte sign-in code",
  sign_in_before:
    "Here is your code to sign in to Cagnotte, requested on {date} at {time} (Paris time) from {device}. It is valid for 10 minutes:",
  sign_in_after:
    "Do not share it with anyone: we will never ask you for it. If you did not request this code, ignore this message.",
  step_up_subject: "Your Cagnotte confirmation code",
  step_up_before:
    "Here is your code to confirm a sensitive operation, requested on {date} at {time} (Paris time) from {device}. It is valid for 10 minutes:",
  step_up_after:
    "Do not share it with anyone: we will never ask you for it. If you did not request this code, end your sessions in the app.",
  device_iphone: "an iPhone",
  device_ipad: "an iPad",
  device_android: "an Android device",
  device_windows: "a Windows computer",
  device_apple: "an Apple device",
  device_linux: "a Linux computer",
  device_unknown: "an unknown device",
  session_opened_subject: "New sign-in to your Cagnotte account",
  session_opened_body:
    "A session of your account was opened on {date} at {time} (Paris time) from {device}. If it was you, ignore this message. Otherwise open this link within 7 days and end the session:",
  session_opened_after:
    "Opening the page changes nothing; only its button ends the session. Also change the password of your mailbox.",
  change_email_subject: "Your code to change your Cagnotte address",
  change_email_before:
    "Here is the code to make this the address of a Cagnotte account, requested on {date} at {time} (Paris time) from {device}. It is valid for 10 minutes:",
  change_email_after:
    "Do not share it with anyone: we will never ask you for it. If you did not request this code, ignore this message.",
  email_changed_subject: "The address of your Cagnotte account has changed",
  email_changed_body:
    "Your account has had a new e-mail address since {date} at {time} (Paris time), requested from {device}; this one is no longer in use. If it was you, ignore this message. Otherwise open this link within 7 days and put your address back:",
  email_changed_after:
    "Opening the page changes nothing; only its button puts your address back, ends all sessions and removes the passkeys added since.",
  passkey_added_subject: "New passkey for your Cagnotte account",
  passkey_added_body:
    "A passkey was added to your account on {date} at {time} (Paris time) from {device}. If it was you, ignore this message.",
  passkey_added_after:
    "Otherwise remove this passkey and end your sessions in the app, then change the password of your mailbox.",
  passkey_removed_subject: "A passkey was removed from your Cagnotte account",
  passkey_removed_body:
    "A passkey was removed from your account on {date} at {time} (Paris time) from {device}. If it was you, ignore this message.",
  passkey_removed_after:
    "Otherwise end your sessions in the app and change the password of your mailbox.",
  step_up_codes_off_subject: "Codes no longer confirm operations of your Cagnotte account",
  step_up_codes_off_body:
    "Since {date} at {time} (Paris time) only your passkeys confirm a sensitive operation; requested from {device}. If it was you, ignore this message.",
  step_up_codes_off_after:
    "Otherwise remove the passkeys that are not yours in the app, end your sessions and change the password of your mailbox.",
  expiry_subject: "Your Cagnotte points expire soon",
  expiry_body_one:
    "{count} of your points ({worth}) expires soon: you can use it until {lastDay} inclusive.",
  expiry_body_many:
    "{count} of your points ({worth}) expire soon: you can use them until {lastDay} inclusive.",
  expiry_after:
    "To keep their value, redeem them in the app by that day. Your other points do not change.",
  earning_started_subject: "A shared bank account now earns for you",
  earning_started_body:
    "Your account {number} ({bank}) earns points for you from now on: the other holder no longer earns with this account.",
  earning_started_after:
    "Purchases seen before this change stay as they were. You can switch this account off in the app at any time.",
  bank_connection_ended_subject: "A bank is no longer linked to your Cagnotte account",
  bank_connection_ended_body:
    "After the access was renewed, {bank} showed none of the accounts that you had linked. Nothing of the others was read, and we ended this access.",
  bank_connection_ended_after:
    "Your points stay yours. To go on earning, link your bank again in the app. Never pass on the address of your bank's page.",
  transfer_asked_subject: "Another holder asks to earn with your account",
  transfer_asked_body:
    "Another holder of your account {number} ({bank}) asks to earn points in your place.",
  transfer_asked_after:
    "Answer in the app within 14 days. Without an answer nothing changes. The points that you have earned stay yours in any case.",
  transfer_refused_subject: "Your request was refused",
  transfer_refused_body:
    "The other holder of your account {number} ({bank}) keeps earning points with this account.",
  transfer_refused_after: "Nothing changes for you.",
  age_review_opened_subject: "Your earning is suspended",
  age_review_opened_body:
    "By the birth date in your profile you are under {age}. Your accounts earn no points for now. A person decides by {lastDay} at the latest; without a decision your bank connections end on that day.",
  age_review_opened_after:
    "If the date is wrong, correct it in your profile: whoever decides will look at it. Your points stay yours.",
  age_review_resumed_subject: "Your accounts earn again",
  age_review_resumed_body:
    "We have checked your age: your accounts earn points again. What you bought in the meantime counts.",
  age_review_resumed_after: "There is nothing for you to do.",
  age_review_ended_subject: "Your bank connections have ended",
  age_review_ended_body:
    "As the minimum age is not reached, or not established, your bank connections have ended, with us and with our aggregator.",
  age_review_ended_after: "The points that you have earned stay yours.",
};
