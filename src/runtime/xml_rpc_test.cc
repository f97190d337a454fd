#include "runtime/xml_rpc.hpp"

#include <gtest/gtest.h>

#include "runtime/supervisord_keeper.hpp"

namespace homeostat::runtime {
namespace {

TEST(XmlRpc, WhatIsSentIsText) {
  EXPECT_EQ(xml_call("a.b", {std::string("x<&>"), false}),
            "<?xml version='1.0'?><methodCall><methodName>a.b</methodName><params>"
            "<param><value><string>x&lt;&amp;&gt;</string></value></param>"
            "<param><value><boolean>0</boolean></value></param></params></methodCall>");
}

TEST(XmlRpc, AStructIsRead) {
  const auto answer = read_xml_answer(
      "<?xml version='1.0'?>\n<methodResponse>\n<params>\n<param>\n<value><array><data>\n<value><struct>\n"
      "<member>\n<name>name</name>\n<value><string>web &amp; co</string></value>\n</member>\n"
      "<member>\n<name>pid</name>\n<value><int>42</int></value>\n</member>\n"
      "<member>\n<name>state</name>\n<value><i4>20</i4></value>\n</member>\n"
      "<member>\n<name>start</name>\n<value><int>1700000000</int></value>\n</member>\n"
      "<member>\n<name>spawnerr</name>\n<value><string></string></value>\n</member>\n"
      "</struct></value>\n</data></array></value>\n</param>\n</params>\n</methodResponse>\n");
  ASSERT_TRUE(answer && *answer);
  const auto& items = std::get<std::vector<XmlValue>>((*answer)->is);
  ASSERT_EQ(items.size(), 1U);
  EXPECT_EQ(items[0].text("name"), "web & co");
  const ProgramState state = program_of(items[0]);
  EXPECT_EQ(state.state, 20);
  EXPECT_EQ(state.run.id, 42U);
  EXPECT_EQ(state.run.started, 1'700'000'000U);
  EXPECT_EQ(program_of(XmlValue{}).state, -1);
}

TEST(XmlRpc, AFaultIsRead) {
  const auto answer = read_xml_answer(
      "<methodResponse><fault><value><struct><member><name>faultCode</name><value><int>10</int></value></member>"
      "<member><name>faultString</name><value><string>BAD_NAME: x</string></value></member></struct></value></fault>"
      "</methodResponse>");
  ASSERT_TRUE(answer);
  ASSERT_FALSE(*answer);
  EXPECT_EQ(answer->error().code, 10);
  EXPECT_EQ(answer->error().text, "BAD_NAME: x");
}

TEST(XmlRpc, WhatIsNoAnswerIsRefused) {
  const std::string open = "<methodResponse><params><param>";
  std::string deep = open;
  for (int i = 0; i < 100; ++i) deep += "<value><array><data>";
  for (const std::string& text :
       {std::string(), std::string("<html>"), open, open + "<value><int>1", open + "<value><int>x</int></value>",
        open + "<value><int>99999999999999999999</int></value>", open + "<value><struct><member>", deep,
        open + "<value><int>1</int></value></param></params>",
        open + "<value><int>1</int></value></param></params></methodResponse>x"}) {
    EXPECT_FALSE(read_xml_answer(text)) << text.substr(0, 80);
  }
}

}  // namespace
}  // namespace homeostat::runtime
