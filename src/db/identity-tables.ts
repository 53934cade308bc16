// Tables of the identity domain (migrations/0002_identity.sql, 0014_identity_refresh.sql,
// 0016_sign_in_challenges.sql, 0017_passkeys.sql, 0026_row_seals.sql). Columns named `*Cipher` hold
// ciphertext only, `*Index` keyed hashes.
import { integer, primaryKey, sqliteTable, text } from "drizzle-orm/sqlite-core";

export const users = sqliteTable("users", {
  id: text("id").primaryKey(),
  emailIndex: text("email_index").notNull(),
  emailCipher: text("email_cipher").notNull(),
  firstNameCipher: text("first_name_cipher"),
  lastNameCipher: text("last_name_cipher"),
  genderCipher: text("gender_cipher"),
  birthDateCipher: text("birth_date_cipher"),
  dataKey: text("data_key").notNull(),
  locale: text("locale", { enum: ["fr", "en"] }).notNull(),
  state: text("state", { enum: ["active", "erasing"] }).notNull(),
  referralCodeGiven: text("referral_code_given"),
  createdAtMs: integer("created_at_ms").notNull(),
  sessionsEndedAtMs: integer("sessions_ended_at_ms"),
  stepUpCodes: integer("step_up_codes").notNull().default(1),
  seal: text("seal"),
});

export const oneTimeCodes = sqliteTable("one_time_codes", {
  sequence: integer("sequence").primaryKey(),
  id: text("id").notNull(),
  purpose: text("purpose", { enum: ["sign_in", "step_up", "change_email"] }).notNull(),
  addressIndex: text("address_index").notNull(),
  deviceKey: text("device_key").notNull(),
  networkIndex: text("network_index").notNull(),
  wideNetworkIndex: text("wide_network_index").notNull(),
  known: integer("known").notNull(),
  short: integer("short").notNull(),
  codeTag: text("code_tag").notNull(),
  createdAtMs: integer("created_at_ms").notNull(),
  expiresAtMs: integer("expires_at_ms").notNull(),
  usedAtMs: integer("used_at_ms"),
  usedBy: text("used_by"),
  superseded: integer("superseded").notNull().default(0),
});

export const codeTries = sqliteTable("code_tries", {
  id: integer("id").primaryKey(),
  codeId: text("code_id").notNull(),
  deviceKey: text("device_key").notNull(),
  addressIndex: text("address_index").notNull(),
  networkIndex: text("network_index").notNull(),
  known: integer("known").notNull(),
  alerted: integer("alerted").notNull(),
  atMs: integer("at_ms").notNull(),
});

export const knownDevices = sqliteTable("known_devices", {
  deviceKey: text("device_key").primaryKey(),
  userId: text("user_id").notNull(),
  knownAtMs: integer("known_at_ms").notNull(),
  usedAtMs: integer("used_at_ms").notNull(),
});

export const sessions = sqliteTable("sessions", {
  id: text("id").primaryKey(),
  userId: text("user_id").notNull(),
  generation: integer("generation").notNull(),
  currentHash: text("current_hash").notNull(),
  previousHash: text("previous_hash"),
  rotatedAtMs: integer("rotated_at_ms"),
  authTimeS: integer("auth_time_s").notNull(),
  amr: text("amr").notNull(),
  deviceNameCipher: text("device_name_cipher"),
  createdAtMs: integer("created_at_ms").notNull(),
  lastUsedAtMs: integer("last_used_at_ms").notNull(),
  expiresAtMs: integer("expires_at_ms").notNull(),
  endedAtMs: integer("ended_at_ms"),
  endReason: text("end_reason", { enum: ["signed_out", "refresh_reused"] }),
  successorSalt: text("successor_salt"),
  deviceKey: text("device_key"),
  seal: text("seal"),
});

export const passkeys = sqliteTable("passkeys", {
  id: text("id").primaryKey(),
  userId: text("user_id").notNull(),
  credentialId: text("credential_id").notNull(),
  publicKey: text("public_key").notNull(),
  counter: integer("counter").notNull(),
  transports: text("transports").notNull(),
  nameCipher: text("name_cipher"),
  createdAtMs: integer("created_at_ms").notNull(),
  lastUsedAtMs: integer("last_used_at_ms"),
  seal: text("seal"),
});

export const emailChanges = sqliteTable("email_changes", {
  id: text("id").primaryKey(),
  userId: text("user_id").notNull(),
  formerIndex: text("former_index").notNull(),
  formerCipher: text("former_cipher").notNull(),
  changedAtMs: integer("changed_at_ms").notNull(),
  undoUntilMs: integer("undo_until_ms").notNull(),
  undoneBy: text("undone_by"),
  undoneAtMs: integer("undone_at_ms"),
  seal: text("seal"),
});

export const answeredChallenges = sqliteTable("answered_challenges", {
  challengeHash: text("challenge_hash").primaryKey(),
  answeredFor: text("answered_for").notNull(),
  expiresAtMs: integer("expires_at_ms").notNull(),
});

export const consents = sqliteTable("consents", {
  id: text("id").notNull(),
  userId: text("user_id").notNull(),
  purpose: text("purpose", {
    enum: ["terms", "bank_data", "recommendations", "statistics", "marketing"],
  }).notNull(),
  sequence: integer("sequence").notNull(),
  granted: integer("granted").notNull(),
  textVersion: text("text_version").notNull(),
  atMs: integer("at_ms").notNull(),
  seal: text("seal"),
}, (table) => [primaryKey({ columns: [table.userId, table.purpose, table.sequence] })]);

export const identityLinks = sqliteTable("identity_links", {
  linkIndex: text("link_index").primaryKey(),
  userId: text("user_id").notNull(),
  createdAtMs: integer("created_at_ms").notNull(),
  seal: text("seal"),
});
