// Which texts of a configuration must never be repeated.
#include <gtest/gtest.h>
#include <stdlib.h>

#include <algorithm>
#include <filesystem>
#include <fstream>

#include "config/load.hpp"

namespace homeostat::config {
namespace {

class SecretsOf : public testing::Test {
 protected:
  void SetUp() override {
    std::string name = "/tmp/homeostat-secrets-XXXXXX";
    ASSERT_NE(::mkdtemp(name.data()), nullptr);
    dir_ = name;
  }
  void TearDown() override { std::filesystem::remove_all(dir_); }

  std::string file(const std::string& name, const std::string& text) const {
    std::ofstream(dir_ + "/" + name) << text << "\n";
    return "{ file: " + dir_ + "/" + name + " }";
  }
  std::vector<std::string> found(const std::string& check, const std::string& more = "") const {
    const auto read =
        load_text("homeostat: 1\nservices: { web: { run: { process: { command: [serve] } }, checks: { a: " + check +
                      " } } }\n" + more,
                  dir_ + "/h.yaml");
    if (!read) return {render(read.error().front())};
    std::vector<std::string> secrets = read->secrets;
    std::ranges::sort(secrets);
    return secrets;
  }
  static std::string env(const std::string& pairs) { return "{ exec: { command: [look], env: { " + pairs + " } } }"; }
  static std::string headers(const std::string& pairs) {
    return "{ http: { url: 'http://127.0.0.1/', headers: { " + pairs + " } } }";
  }

  std::string dir_;
};

using Texts = std::vector<std::string>;

TEST_F(SecretsOf, AFileOfItsOwn) {
  EXPECT_EQ(found(env("ANY: " + file("a", "opensesame"))), Texts{"opensesame"});
  EXPECT_EQ(found(env("URL: " + file("b", "postgresql://ada:hush-hush@db.example/shop"))),
            (Texts{"hush-hush", "postgresql://ada:hush-hush@db.example/shop"}));
}

TEST_F(SecretsOf, WhatIsCalledSo) {
  EXPECT_EQ(found(env("API_TOKEN: opensesame")), Texts{"opensesame"});
  EXPECT_EQ(found(env("SIGNING_KEY: opensesame")), Texts{"opensesame"});
  EXPECT_EQ(found(env("PGPASSWORD: opensesame")), Texts{"opensesame"});
  EXPECT_EQ(found(env("accessToken: opensesame")), Texts{"opensesame"});
  EXPECT_EQ(found(env("SSHPASS: opensesame")), Texts{"opensesame"});
  EXPECT_EQ(found(env("PASSWORD_FILE: /etc/password, TOKEN_URL: somewhere, BY_COMPASS: northwest")), Texts{});
  for (const std::string name :
       {"VAULT_SECRET_ID", "MYSQL_PWD", "API_KEY_2", "DB_PASS_PROD", "PASSWORD1", "AWS_CREDENTIALS", "SECRET_KEY_BASE",
        "STRIPE_KEY", "COSMOS_PRIMARY_KEY", "SSH_HOST_KEY", "API_KEY_EU", "STRIPE_KEY_V2", "DB_PASSWORDS", "API_TOKENS",
        "DB_CREDS"}) {
    EXPECT_EQ(found(env(name + ": opensesame")), Texts{"opensesame"}) << name;
  }
  for (const std::string name : {"ROUTING_KEY", "SORT_KEY", "PUBLIC_KEY", "HOTKEY", "TOKEN_ENV", "TOKEN_TYPE",
                                 "TOKEN_ISSUER", "COOKIE_SAMESITE", "PWD", "KEY_ID"}) {
    EXPECT_EQ(found(env(name + ": opensesame")), Texts{}) << name;
  }
  EXPECT_EQ(found(env("PASS_THROUGH: opensesame, COMPASS_ENV: production, KEYS: alpha-beta, DEBUG_TOKEN: 'true'")),
            Texts{});
}

TEST_F(SecretsOf, ThePasswordInAnAddressWhateverItIsCalled) {
  EXPECT_EQ(found(env("DATABASE_URL: 'postgres://ada:hush-hush@db.example/shop'")), Texts{"hush-hush"});
  EXPECT_EQ(found(env("DATABASE_URL: 'postgres://ada@db.example:5432/shop'")), Texts{});
  EXPECT_EQ(found(env("NEXT: 'http://db.example/a:b@c'")), Texts{});
  EXPECT_EQ(found("{ exec: { command: [psql, 'postgres://ada:hush-hush@db.example/shop'] } }"), Texts{"hush-hush"});
}

TEST_F(SecretsOf, HeadersAndWhatIsInThem) {
  EXPECT_EQ(found(headers("Authorization: Bearer opensesame")), (Texts{"Bearer opensesame", "opensesame"}));
  EXPECT_EQ(found(headers("Cookie: 'session=5f2c9e1ab77d4c; theme=dark'")),
            (Texts{"5f2c9e1ab77d4c", "session=5f2c9e1ab77d4c; theme=dark"}));
  EXPECT_EQ(found(headers("Authorization: Bearer test, X-ApiKey: opensesame")), (Texts{"Bearer test", "opensesame"}));
  EXPECT_EQ(found(headers("Accept: application/json")), Texts{});
}

TEST_F(SecretsOf, AnAddressThatIsOneHasItInItsPath) {
  const std::string look = "{ http: { url: 'http://127.0.0.1/' } }";
  EXPECT_EQ(found(look, "notify: { a: { slack: { url: 'https://hooks.example.org/services/T000/B000/XXXX' } } }"),
            (Texts{"https://hooks.example.org/services/T000/B000/XXXX", "services/T000/B000/XXXX"}));
  EXPECT_EQ(found(look, "notify: { a: { webhook: { url: 'https://hooks.example.org/alert' } } }"),
            Texts{"https://hooks.example.org/alert"});
}

}  // namespace
}  // namespace homeostat::config
