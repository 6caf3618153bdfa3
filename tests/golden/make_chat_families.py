"""Makes chat_families.json with Jinja2, set up as transformers sets it up: templates written for this repository that use
what the templates of the families use (Llama 3 with tools, Qwen2.5, Qwen3, DeepSeek-V2 and -V3, Mistral and Mixtral,
SmolLM, Zephyr and TinyLlama, ChatML), and single expressions.

usage: make_chat_families.py

{"templates": {name: text}, "rows": [{"template": name, "variables": {...}, "text": string or null where Jinja2 raises}],
"expressions": [[template, string or null], ...] over the variables "shared"}. Needs jinja2. The clock stands at
2024-07-26, as JinjaOptions has it. compare_templates(tool, rows) is also what tests/tokenizer's script uses.
"""

import datetime
import json
import pathlib

import jinja2
from jinja2.ext import Extension, loopcontrols
from jinja2.sandbox import ImmutableSandboxedEnvironment

HERE = pathlib.Path(__file__).parent


class Generation(Extension):
    """{% generation %}: transformers marks what the model said; the text stays."""
    tags = {"generation"}

    def parse(self, parser):
        next(parser.stream)
        return parser.parse_statements(["name:endgeneration"], drop_needle=True)


def environment():
    def raise_exception(message):
        raise jinja2.exceptions.TemplateError(message)

    def tojson(x, ensure_ascii=False, indent=None, separators=None, sort_keys=False):
        return json.dumps(x, ensure_ascii=ensure_ascii, indent=indent, separators=separators, sort_keys=sort_keys)

    env = ImmutableSandboxedEnvironment(trim_blocks=True, lstrip_blocks=True, extensions=[Generation, loopcontrols])
    env.filters["tojson"] = tojson
    env.globals["raise_exception"] = raise_exception
    env.globals["strftime_now"] = lambda form: datetime.datetime(2024, 7, 26).strftime(form)
    return env


ENV = environment()


def rendered(template, variables):
    try:
        return ENV.from_string(template).render(**variables)
    except (jinja2.exceptions.TemplateError, TypeError, ValueError, OverflowError, ZeroDivisionError, AttributeError, KeyError,
            RecursionError):
        return None


TEMPLATES = {
    "chatml": """{% for message in messages %}{% if loop.first and messages[0]['role'] != 'system' %}{{ '<|im_start|>system
Be kind.<|im_end|>
' }}{% endif %}{{'<|im_start|>' + message['role'] + '
' + message['content'] + '<|im_end|>' + '
'}}{% endfor %}{% if add_generation_prompt %}{{ '<|im_start|>assistant
' }}{% endif %}""",
    "zephyr": """{% for message in messages %}
{% if message['role'] == 'user' %}
{{ '<|user|>\n' + message['content'] + eos_token }}
{% elif message['role'] == 'system' %}
{{ '<|system|>\n' + message['content'] + eos_token }}
{% elif message['role'] == 'assistant' %}
{{ '<|assistant|>\n'  + message['content'] + eos_token }}
{% endif %}
{% if loop.last and add_generation_prompt %}
{{ '<|assistant|>' }}
{% endif %}
{% endfor %}""",
    "mixtral": """{{ bos_token }}{% if messages and messages[0]['role'] == 'system' %}{% set head = messages[0]['content'] %}{% set turns = messages[1:] %}{% else %}{% set turns = messages %}{% endif %}
{%- for message in turns -%}
    {%- if (message['role'] == 'user') != (loop.index0 % 2 == 0) %}
        {{- raise_exception('user and assistant take turns: ' ~ loop.index) }}
    {%- endif %}
    {%- if message['role'] == 'user' %}
        {%- if loop.first and head is defined %}
            {{- ' [INST] ' + head + '\\n\\n' + message['content'] + ' [/INST]' }}
        {%- else %}
            {{- ' [INST] ' + message['content'] + ' [/INST]' }}
        {%- endif %}
    {%- elif message['role'] == 'assistant' %}
        {%- generation %}{{- ' ' + message['content']|trim + eos_token }}{% endgeneration %}
    {%- else %}
        {{- raise_exception('only user and assistant speak') }}
    {%- endif %}
{%- endfor %}
""",
    "mistral_tools": """{%- set ns = namespace(index=0, last=-1) %}
{%- for message in messages %}
    {%- if message.role == "user" %}{% set ns.last = loop.index0 %}{% endif %}
{%- endfor %}
{{- bos_token }}
{%- for message in messages | rejectattr("role", "equalto", "system") %}
    {%- if message["role"] == "user" %}
        {%- if tools is not none and loop.last %}
            {{- "[AVAILABLE_TOOLS] [" }}
            {%- for tool in tools %}
                {%- set tool = tool.function %}
                {{- '{"type": "function", "function": {' }}
                {%- for key, val in tool.items() if key != "return" %}
                    {%- if val is string %}
                        {{- '"' + key + '": "' + val + '"' }}
                    {%- else %}
                        {{- '"' + key + '": ' + val|tojson }}
                    {%- endif %}
                    {%- if not loop.last %}{{- ", " }}{%- endif %}
                {%- endfor %}
                {{- "}}" }}
                {%- if not loop.last %}{{- ", " }}{% else %}{{- "]" }}{%- endif %}
            {%- endfor %}
            {{- "[/AVAILABLE_TOOLS]" }}
        {%- endif %}
        {{- "[INST] " + message["content"] + "[/INST]" }}
    {%- elif message.tool_calls is defined and message.tool_calls is not none %}
        {{- "[TOOL_CALLS] [" }}
        {%- for tool_call in message.tool_calls %}
            {%- set out = tool_call.function|tojson %}
            {{- out[:-1] }}
            {%- if not tool_call.id is defined or tool_call.id|length != 9 %}
                {{- raise_exception("ids have nine characters") }}
            {%- endif %}
            {{- ', "id": "' + tool_call.id + '"}' }}
            {%- if not loop.last %}{{- ", " }}{% else %}{{- "]" + eos_token }}{%- endif %}
        {%- endfor %}
    {%- elif message["role"] in ["tool", "tool_results"] %}
        {{- '[TOOL_RESULTS] {"content": ' + message.content|string + ", " }}
        {{- '"call_id": "' + message.tool_call_id + '"}[/TOOL_RESULTS]' }}
    {%- elif message["role"] == "assistant" %}
        {{- " " + message["content"]|trim + eos_token }}
    {%- endif %}
{%- endfor %}""",
    "llama3": """{{- bos_token }}
{%- if custom_tools is defined %}{% set tools = custom_tools %}{% endif %}
{%- if not tools_in_user_message is defined %}{% set tools_in_user_message = true %}{% endif %}
{%- if not date_string is defined %}
    {%- if strftime_now is defined %}{% set date_string = strftime_now("%d %b %Y") %}{% else %}{% set date_string = "1 Jan 2024" %}{% endif %}
{%- endif %}
{%- if not tools is defined %}{% set tools = none %}{% endif %}
{#- The system message goes first. #}
{%- if messages[0]['role'] == 'system' %}
    {%- set system_message = messages[0]['content']|trim %}
    {%- set messages = messages[1:] %}
{%- else %}
    {%- set system_message = "" %}
{%- endif %}
{{- "<|start_header_id|>system<|end_header_id|>\\n\\n" }}
{%- if builtin_tools is defined or tools is not none %}{{- "Environment: ipython\\n" }}{% endif %}
{%- if builtin_tools is defined %}
    {{- "Tools: " + builtin_tools | reject('equalto', 'code_interpreter') | join(", ") + "\\n\\n"}}
{%- endif %}
{{- "Today: " + date_string + "\\n\\n" }}
{%- if tools is not none and not tools_in_user_message %}
    {{- "Functions:\\n\\n" }}
    {%- for t in tools %}
        {{- t | tojson(indent=4) }}
        {{- "\\n\\n" }}
    {%- endfor %}
{%- endif %}
{{- system_message }}{{- "<|eot_id|>" }}
{%- if tools_in_user_message and not tools is none %}
    {%- if messages | length != 0 %}
        {%- set first_user_message = messages[0]['content']|trim %}
        {%- set messages = messages[1:] %}
    {%- else %}
        {{- raise_exception("no first user message") }}
    {%- endif %}
    {{- '<|start_header_id|>user<|end_header_id|>\\n\\n' -}}
    {{- "Respond with JSON {\\"name\\": name, \\"parameters\\": dictionary}.\\n\\n" }}
    {%- for t in tools %}
        {{- t | tojson(indent=4) }}
        {{- "\\n\\n" }}
    {%- endfor %}
    {{- first_user_message + "<|eot_id|>"}}
{%- endif %}
{%- for message in messages %}
    {%- if not (message.role == 'ipython' or message.role == 'tool' or 'tool_calls' in message) %}
        {{- '<|start_header_id|>' + message['role'] + '<|end_header_id|>\\n\\n'+ message['content'] | trim + '<|eot_id|>' }}
    {%- elif 'tool_calls' in message %}
        {%- if not message.tool_calls|length == 1 %}{{- raise_exception("one call at a time") }}{% endif %}
        {%- set tool_call = message.tool_calls[0].function %}
        {%- if builtin_tools is defined and tool_call.name in builtin_tools %}
            {{- '<|start_header_id|>assistant<|end_header_id|>\\n\\n' -}}
            {{- "<|python_tag|>" + tool_call.name + ".call(" }}
            {%- for arg_name, arg_val in tool_call.arguments | items %}
                {{- arg_name + '="' + arg_val + '"' }}{% if not loop.last %}{{- ", " }}{% endif %}
            {%- endfor %}
            {{- ")" }}
        {%- else %}
            {{- '<|start_header_id|>assistant<|end_header_id|>\\n\\n' -}}
            {{- '{"name": "' + tool_call.name + '", "parameters": ' }}{{- tool_call.arguments | tojson }}{{- "}" }}
        {%- endif %}
        {{- "<|eom_id|>" if builtin_tools is defined else "<|eot_id|>" }}
    {%- elif message.role == "tool" or message.role == "ipython" %}
        {{- "<|start_header_id|>ipython<|end_header_id|>\\n\\n" }}
        {%- if message.content is mapping or message.content is iterable %}{{- message.content | tojson }}{% else %}{{- message.content }}{% endif %}
        {{- "<|eot_id|>" }}
    {%- endif %}
{%- endfor %}
{%- if add_generation_prompt %}{{- '<|start_header_id|>assistant<|end_header_id|>\\n\\n' }}{% endif %}
""",
    "qwen25": """{%- if tools %}
    {{- '<|im_start|>system\\n' }}
    {%- if messages[0]['role'] == 'system' %}{{- messages[0]['content'] }}{% else %}{{- 'You help.' }}{% endif %}
    {{- "\\n\\n# Tools\\n<tools>" }}
    {%- for tool in tools %}
        {{- "\\n" }}
        {{- tool | tojson }}
    {%- endfor %}
    {{- "\\n</tools>\\n{\\"name\\": <function-name>}<|im_end|>\\n" }}
{%- else %}
    {%- if messages[0]['role'] == 'system' %}{{- '<|im_start|>system\\n' + messages[0]['content'] + '<|im_end|>\\n' }}{% else %}{{- '<|im_start|>system\\nYou help.<|im_end|>\\n' }}{% endif %}
{%- endif %}
{%- for message in messages %}
    {%- if (message.role == "user") or (message.role == "system" and not loop.first) or (message.role == "assistant" and not message.tool_calls) %}
        {{- '<|im_start|>' + message.role + '\\n' + message.content + '<|im_end|>' + '\\n' }}
    {%- elif message.role == "assistant" %}
        {{- '<|im_start|>' + message.role }}
        {%- if message.content %}{{- '\\n' + message.content }}{% endif %}
        {%- for tool_call in message.tool_calls %}
            {%- if tool_call.function is defined %}{% set tool_call = tool_call.function %}{% endif %}
            {{- '\\n<tool_call>\\n{"name": "' }}{{- tool_call.name }}{{- '", "arguments": ' }}{{- tool_call.arguments | tojson }}{{- '}\\n</tool_call>' }}
        {%- endfor %}
        {{- '<|im_end|>\\n' }}
    {%- elif message.role == "tool" %}
        {%- if (loop.index0 == 0) or (messages[loop.index0 - 1].role != "tool") %}{{- '<|im_start|>user' }}{% endif %}
        {{- '\\n<tool_response>\\n' }}{{- message.content }}{{- '\\n</tool_response>' }}
        {%- if loop.last or (messages[loop.index0 + 1].role != "tool") %}{{- '<|im_end|>\\n' }}{% endif %}
    {%- endif %}
{%- endfor %}
{%- if add_generation_prompt %}{{- '<|im_start|>assistant\\n' }}{% endif %}
""",
    "qwen3": """{%- set ns = namespace(multi_step=true, last_query=messages|length - 1) %}
{%- for message in messages[::-1] %}
    {%- set index = (messages|length - 1) - loop.index0 %}
    {%- if ns.multi_step and message.role == "user" and message.content is string and not(message.content.startswith('<tool_response>') and message.content.endswith('</tool_response>')) %}
        {%- set ns.multi_step = false %}
        {%- set ns.last_query = index %}
    {%- endif %}
{%- endfor %}
{%- for message in messages %}
    {%- if message.content is string %}{% set content = message.content %}{% else %}{% set content = '' %}{% endif %}
    {%- if message.role in ("user", "system") %}
        {{- '<|im_start|>' + message.role + '\\n' + content + '<|im_end|>' + '\\n' }}
    {%- elif message.role == "assistant" %}
        {%- set reasoning_content = '' %}
        {%- if message.reasoning_content is string %}
            {%- set reasoning_content = message.reasoning_content %}
        {%- else %}
            {%- if '</think>' in content %}
                {%- set reasoning_content = content.split('</think>')[0].rstrip('\\n').split('<think>')[-1].lstrip('\\n') %}
                {%- set content = content.split('</think>')[-1].lstrip('\\n') %}
            {%- endif %}
        {%- endif %}
        {%- if loop.index0 > ns.last_query and (loop.last or (not loop.last and reasoning_content)) %}
            {{- '<|im_start|>' + message.role + '\\n<think>\\n' + reasoning_content.strip('\\n') + '\\n</think>\\n\\n' + content.lstrip('\\n') }}
        {%- else %}
            {{- '<|im_start|>' + message.role + '\\n' + content }}
        {%- endif %}
        {{- '<|im_end|>\\n' }}
    {%- elif message.role == "tool" %}
        {%- if loop.first or (loop.previtem.role != "tool") %}{{- '<|im_start|>user' }}{% endif %}
        {{- '\\n<tool_response>\\n' + content + '\\n</tool_response>' }}
        {%- if loop.last or (loop.nextitem.role != "tool") %}{{- '<|im_end|>\\n' }}{% endif %}
    {%- endif %}
{%- endfor %}
{%- if add_generation_prompt %}
    {{- '<|im_start|>assistant\\n' }}
    {%- if enable_thinking is defined and enable_thinking is false %}{{- '<think>\\n\\n</think>\\n\\n' }}{% endif %}
{%- endif %}""",
    "deepseek_v2": """{% if not add_generation_prompt is defined %}{% set add_generation_prompt = false %}{% endif %}{{ bos_token }}{% for message in messages %}{% if message['role'] == 'user' %}{{ 'User: ' + message['content'] + '

' }}{% elif message['role'] == 'assistant' %}{{ 'Assistant: ' + message['content'] + eos_token }}{% elif message['role'] == 'system' %}{{ message['content'] + '

' }}{% endif %}{% endfor %}{% if add_generation_prompt %}{{ 'Assistant:' }}{% endif %}""",
    "deepseek_v3": """{% if not add_generation_prompt is defined %}{% set add_generation_prompt = false %}{% endif %}{% set ns = namespace(is_first=false, is_tool=false, is_output_first=true, system_prompt='', is_first_sp=true) %}{%- for message in messages %}{%- if message['role'] == 'system' %}{%- if ns.is_first_sp %}{% set ns.system_prompt = ns.system_prompt + message['content'] %}{% set ns.is_first_sp = false %}{%- else %}{% set ns.system_prompt = ns.system_prompt + '\n\n' + message['content'] %}{%- endif %}{%- endif %}{%- endfor %}{{bos_token}}{{ns.system_prompt}}{%- for message in messages %}{%- if message['role'] == 'user' %}{%- set ns.is_tool = false -%}{{'<\uff5cUser\uff5c>' + message['content']}}{%- endif %}{%- if message['role'] == 'assistant' and message['tool_calls'] is defined and message['content'] is none %}{%- set ns.is_tool = false -%}{%- for tool in message['tool_calls']%}{%- if not ns.is_first %}{{'<\uff5cAssistant\uff5c><calls>' + tool['type'] + '<sep>' + tool['function']['name'] + '\n' + '```json' + '\n' + tool['function']['arguments']|tojson + '\n' + '```'}}{%- set ns.is_first = true -%}{%- else %}{{'\n' + tool['function']['name']}}{%- endif %}{%- endfor %}{{'<end>'}}{%- endif %}{%- if message['role'] == 'assistant' and message['content'] is not none %}{%- if ns.is_tool %}{{'<outputs_end>' + message['content'] + eos_token}}{%- set ns.is_tool = false -%}{%- else %}{% set content = message['content'] %}{% if '</think>' in content %}{% set content = content.split('</think>')[-1] %}{% endif %}{{'<\uff5cAssistant\uff5c>' + content + eos_token}}{%- endif %}{%- endif %}{%- if message['role'] == 'tool' %}{%- set ns.is_tool = true -%}{%- if ns.is_output_first %}{{'<outputs><output>' + message['content'] + '</output>'}}{%- set ns.is_output_first = false %}{%- else %}{{'\n<output>' + message['content'] + '</output>'}}{%- endif %}{%- endif %}{%- endfor -%}{% if ns.is_tool %}{{'<outputs_end>'}}{% endif %}{% if add_generation_prompt and not ns.is_tool %}{{'<\uff5cAssistant\uff5c>'}}{% endif %}""",
    "macros": """{%- macro type_of(spec, depth=0) -%}
    {%- if spec.type == "array" -%}list[{{ type_of(spec["items"], depth + 1) }}]
    {%- elif spec.type is string -%}{{ {"string": "str", "integer": "int", "number": "float"}.get(spec.type, spec.type) }}
    {%- else -%}{%- for t in spec.type -%}{{ t }}{% if not loop.last %} | {% endif %}{%- endfor -%}
    {%- endif -%}
{%- endmacro -%}
{%- macro box(title) %}<{{ title | upper }}>{{ caller(title ~ '!') }}</{{ title | upper }}>{% endmacro -%}
{% for tool in tools or [] %}
{% set f = tool.function %}
def {{ f.name }}({% for name, spec in f.parameters.properties.items() %}{{ name }}: {{ type_of(spec) }}{{ ", " if not loop.last }}{% endfor %}) {#- no result -#}
   # {{ f.description | default("none given", true) | replace("\n", " ") | trim }}
{% endfor %}
{% call(shout) box("note") %}{{ shout }} {{ messages | map(attribute="role") | unique | list | join("/") }}{% endcall %}
{% filter trim | upper %}   {{ messages | selectattr("role", "in", ["user", "tool"]) | map(attribute="role") | join(",") }} {% endfilter %}
{% set block %}
  {{ messages | length }} messages
{% endset %}
{{ block | trim }}
{%+ if true +%}
  kept
{%- endif %}
{% for m in messages %}{% if m.role == "system" %}{% continue %}{% endif %}{% if loop.index > 3 %}{% break %}{% endif %}{{ loop.index }}{{ m.role[:2] }}{% else %}nobody{% endfor %}
{% with a = 1, b = a %}{{ a }}{{ b }}{% endwith %}
{% raw %}{{ not read }}{% endraw %}
""",
}

TOOLS = [{"type": "function", "function": {"name": "add", "description": "Adds.\nTwo numbers: \"a\" & 'b' <é>.", "parameters": {
             "type": "object", "properties": {"a": {"type": "integer"}, "b": {"type": ["integer", "null"]},
                                              "c": {"type": "array", "items": {"type": "array", "items": {"type": "string"}}}}}}},
         {"type": "function", "function": {"name": "now", "description": "", "parameters": {"type": "object", "properties": {}}}}]
CALL = {"role": "assistant", "content": None, "tool_calls": [
    {"id": "abcdefghi", "type": "function", "function": {"name": "add", "arguments": {"a": 1, "b": -2.5, "c": [["x", "\u00e9\n\u2028"]]}}}]}
TALKS = [
    [], [{"role": "user", "content": "Hi"}],
    [{"role": "system", "content": " Be brief. "}, {"role": "user", "content": "Add 2 and 3.\n\nThanks "}],
    [{"role": "user", "content": "a"}, {"role": "assistant", "content": "<think>\nhm\n</think>\n\n b "}, {"role": "user", "content": "{{ c }} {% d %} 'é'\n"}],
    [{"role": "user", "content": "x"}, {"role": "system", "content": "late"}],
    [{"role": "system", "content": "s"}, {"role": "system", "content": "t"}, {"role": "user", "content": "x"}, CALL,
     {"role": "tool", "content": "3", "tool_call_id": "abcdefghi"}, {"role": "tool", "content": "4", "tool_call_id": "abcdefghi"},
     {"role": "assistant", "content": "three"}],
    [{"role": "user", "content": "x"}, CALL | {"content": ""}, {"role": "tool", "content": "3", "tool_call_id": "abcdefghi"}],
]
EXTRAS = [{"add_generation_prompt": False}, {"add_generation_prompt": True, "tools": TOOLS},
          {"add_generation_prompt": True, "enable_thinking": False, "builtin_tools": ["add", "code_interpreter"], "tools_in_user_message": False}]
SHARED = {"s": "Hello, W\u00f6rld", "n": 7, "f": 2.5, "l": [3, 1, 2], "d": {"b": 1, "a": [1, {"c": None}]}, "e": [], "none_": None,
          "people": [{"name": "Ann", "age": 30}, {"name": "bob", "age": 4}, {"name": "Cy", "age": 30}], "t": True}
EXPRESSIONS = """
1 + 2 * 3 - 4 // 3 % 2 | 7 / 2 | 2 ** 3 | -n | +f | -7 // 2 | -7 % 3 | 7 % -3 | 1 / 0 | 'a' * 3 | [1] * 2 | 1 ~ 'x' ~ none ~ true
1.0 | 1e16 | 1e15 | 0.0001 | 0.00001 | 1.5e300 | 3 == 3.0 | '3' == 3 | 1 < 2 < 3 | 1 < 2 > 2 | 'a' < 'b' | [1, 2] < [1, 3] | 'a' < 1
n in l | 3 in l | 'W' in s | 'b' in d | 3 not in l | not 3 in l | none is none | none_ is none | missing is none | missing is defined | d.zz is defined
missing | missing.x | missing['x'] | d.a.b.c | d['a'][1].c | d.a[1]['c'] is none | l[0] | l[-1] | l[5] | s[0] | s[-2:] | s[::-1] | l[::-1] | l[1:] | l[:-1] | l[::0] | s[1:8:3] | s[7]
s | s.upper() | s.lower() | s.title() | s.capitalize() | s.split(', ') | s.split() | ' a  b c '.split(none, 1) | 'a,b,c'.rsplit(',', 1) | 'a\\nb\\r\\nc'.splitlines()
s.startswith('He') | s.startswith(('x', 'H')) | s.endswith('d') | s.find('W') | s.find('q') | s.count('l') | s.replace('l', 'L', 2) | '-'.join(['a', 'b']) | ''.join([]) | '-'.join([1]) | s.index('q')
' x '.strip() | 'xxaxx'.strip('x') | 'xxaxx'.lstrip('x') | 'xxaxx'.rstrip('x') | 'ab12'.isalnum() | '12'.isdigit() | ''.isdigit() | 'ab'.isalpha() | ' '.isspace() | 'AB'.isupper() | 'a1'.islower()
'prefix-x'.removeprefix('prefix-') | 'x.py'.removesuffix('.py') | 'a=b=c'.partition('=') | d.get('b') | d.get('q') | d.get('q', 5) | d.keys()|list | d.values()|list | d.items()|list | d.pop('b') | l.append(4) | l.index(1) | l.count(3)
d.keys()|length | d | l | [1, 'a', none, true, 2.0, {'k': "it's"}] | (1,) | (1, 2) | () | {} | 'q"\\'\\n\\\\' | ['q"\\'\\n\\\\'] | ['\\u2028\\x7f\\u00e9\\u200b'] | {'a': 1}['a'] | {'a': 1}.a | 'a' 'b'
t | not t | t and n | e or 'x' | none or false | 'x' if t else 'y' | 'x' if not t | 1 if e else 2 if n else 3 | (1 if e else 2) + 1 | loop | range(3)|list | range(5, 1, -2)|list | range(200000) | range(3)[1]
"""
FILTERS = """
s|length | l|length | d|length | n|length | missing|length | s|upper | s|first | l|last | e|first | missing|first | l|join | l|join(', ') | people|join('+', attribute='name')
s|replace('l', 'LL') | s|replace('', '.') | missing|default('x') | none_|default('x') | none_|default('x', true) | ''|d('y', boolean=true) | missing|d | d|tojson | l|tojson(indent=2) | e|tojson(indent=2) | d|tojson(indent=4)
d|tojson(sort_keys=true) | d|tojson(separators=(',', ':')) | s|tojson | '<&>\\t\\x7f\\u2028'|tojson | 1e400|tojson | missing|tojson | 2.50|tojson | 'a'|list | d|list | l|list|string | n|string + '!' | n|float | '3.7'|int | 'x'|int | 'x'|int(9) | ' 42 '|int | 3.99|int | '2.5'|float | 'x'|float | true|int
-3|abs | (-3)|abs | 2.567|round(2) | 2.5|round | 3.5|round | 7|round | 2.1|round(0, 'ceil') | 2.9|round(method='floor') | l|sort | l|sort(reverse=true) | ['b', 'A', 'c']|sort | ['b', 'A', 'c']|sort(case_sensitive=true) | people|sort(attribute='age')|map(attribute='name')|list | [1, 'a']|sort
l|reverse|list | s|reverse | ['a', 'A', 'b']|unique|list | people|map(attribute='age')|unique|list | people|map(attribute='q', default=0)|list | ['a', 'b']|map('upper')|list | ['a ', ' b']|map('trim')|join('|') | [1.26, 2.5]|map('round', 1)|list
l|select('odd')|list | l|reject('gt', 1)|list | people|selectattr('age', 'equalto', 30)|map(attribute='name')|list | people|selectattr('age', '>', 5)|list|length | people|rejectattr('name', 'in', ['Ann'])|map(attribute='name')|join | people|selectattr('q')|list | e|select|list | [0, 1, '', 'a']|select|list
d|items|list | missing|items|list | n|items|list | d|dictsort | l|sum | people|sum(attribute='age') | l|min | l|max | people|max(attribute='age') | e|max | 'a<b>&"\\''|escape | 'a\\nb\\n\\nc'|indent | 'a\\nb'|indent(2, true) | 'a\\n\\nb'|indent(width=1, blank=true) | 'hello big-world (x)'|title | 'hELLO'|capitalize | '  x '|trim | 'xxaxx'|trim('x')
l is iterable | s is iterable | n is iterable | d is mapping | l is mapping | l is sequence | s is string | n is number | t is number | n is integer | t is integer | f is float | t is boolean | t is true | n is true | false is false | n is odd | n is even | 6 is divisibleby 3 | n is divisibleby(2) | n is eq 7 | n is equalto(8) | n is ne 8 | n is lt 8 | n is gt(8) | n is in l | 3 is in(l) | 'ab' is lower | 'AB' is upper | range is callable | s is callable | none is sameas none | n is not none | n is defined and t | missing is undefined
namespace(a=1).a | namespace().b is defined | dict(a=1, b=2) | dict({'x': 1}, y=2) | strftime_now('%Y-%m-%d') | strftime_now('%d %B %Y, %A') | raise_exception('no') | (l + [4])|length | l + 1 | s + 1 | 's' + missing | none + 'x' | {'a': 1} == {'a': 1.0} | [1] == (1,) | '\\u00e9\\x41\\101\\q' | 1_000 | 'ß'|upper | 'İ'|length | (missing or 'z') ~ '' | s.nosuch | s.nosuch() | s() | l.0 | -l | not missing | 1 if missing | 5 in 5 | 'x' in missing
"""


def expressions():
    lines = [line for line in (EXPRESSIONS + FILTERS).splitlines() if line]
    out = []
    for line in lines:
        for part in line.split(" | "):
            out.append("{{ " + part + " }}")
    return out + ["a\n  {% if t %}\n  b\n  {% endif %}\nc\n", "{%- if t -%}  x  {%- endif -%}  y", "  {%+ if t %}x{% endif +%}\n\ny", "{# a #}\nb {#- c -#} d",
                  "x {{- ' y ' -}} z", "{% for a, b in [(1, 2), (3, 4)] %}{{ loop.revindex }}{{ a + b }}{{ loop.length }}{% endfor %}",
                  "{% for x in l if x > 1 %}{{ loop.index }}{{ x }}{% else %}no{% endfor %}", "{% for x in e %}{% else %}no{% endfor %}",
                  "{% set x = 1 %}{% for i in l %}{% set x = i %}{% endfor %}{{ x }}", "{% set x = 1 %}{% if t %}{% set x = 2 %}{% endif %}{{ x }}",
                  "{% set a, b = 1, 2 %}{{ a }}{{ b }}", "{% macro m(a, b=a) %}{{ a }}{{ b }}{% endmacro %}{{ m(1) }}{{ m(1, b=2) }}{{ m() }}",
                  "{% macro m(a) %}{{ a }}{% endmacro %}{{ m(1, 2) }}", "{% set ns = namespace(x=0) %}{% for i in l %}{% set ns.x = ns.x + i %}{% endfor %}{{ ns.x }}",
                  "{% for c in s[:3] %}{{ c }}.{% endfor %}", "{% for k in d %}{{ k }}{% endfor %}", "{% for x in n %}{% endfor %}", "{% for x in missing %}a{% endfor %}",
                  "{% set x.y = 1 %}", "{% if %}", "{% for x in l %}", "{{ 1 + }}", "{{ s|nofilter }}", "{{ s is notest }}", "{% do 1 %}", "{{ (1 }}", "\r\nx\r\n{% if t %}\r\ny{% endif %}\r\n"]


def main():
    rows = []
    for name, template in TEMPLATES.items():
        for talk in TALKS:
            for extra in EXTRAS:
                variables = {"messages": talk, "tools": None, "documents": None, "bos_token": "<s>", "eos_token": "</s>"} | extra
                rows.append({"template": name, "variables": variables, "text": rendered(template, variables)})
    pairs = [[e, rendered(e, SHARED)] for e in expressions()]
    whole = {"templates": TEMPLATES, "rows": rows, "shared": SHARED, "expressions": pairs}
    (HERE / "chat_families.json").write_text(json.dumps(whole, separators=(",", ":")) + "\n")


if __name__ == "__main__":
    main()
