"""Renders chats with transformers, in templates shaped like those of known models, into test/golden/chat/rendered.json.

Ran with: transformers 5.18.0, jinja2 as installed with it. Usage: python tools/golden/chat.py
"""

import json
from pathlib import Path

import transformers
from transformers.utils.chat_template_utils import render_jinja_template

OUT = Path(__file__).parents[2] / "test" / "golden" / "chat" / "rendered.json"
TOKENS = {"bos_token": "<s>", "eos_token": "</s>", "unk_token": "<unk>"}

# Written for this test in the shape of each family's format; none is a copy of a model's file.
TEMPLATES = {
    "chatml": """{% for m in messages %}
    {%- if loop.first and m.role != 'system' %}
        {{- '<|im_start|>system\\nBe helpful.<|im_end|>\\n' }}
    {%- endif %}
    {{- '<|im_start|>' + m['role'] + '\\n' + m['content'] + '<|im_end|>' + '\\n' }}
{%- endfor %}
{%- if add_generation_prompt %}
    {{- '<|im_start|>assistant\\n' }}
{%- endif %}""",
    "llama2": """{% if messages[0]['role'] == 'system' %}{% set sys = messages[0]['content'] %}{% set rest = messages[1:] %}{% else %}{% set sys = false %}{% set rest = messages %}{% endif %}{% for m in rest %}{% if (m['role'] == 'user') != (loop.index0 % 2 == 0) %}{{ raise_exception('roles must alternate user/assistant') }}{% endif %}{% if loop.index0 == 0 and sys is not false %}{% set body = '<<SYS>>\\n' + sys.strip() + '\\n<</SYS>>\\n\\n' + m['content'] %}{% else %}{% set body = m['content'] %}{% endif %}{% if m['role'] == 'user' %}{{ bos_token + '[INST] ' + body.strip() + ' [/INST]' }}{% elif m['role'] == 'assistant' %}{{ ' ' + body.strip() + ' ' + eos_token }}{% endif %}{% endfor %}""",
    "llama3": """{{- bos_token }}
{%- if not date_string is defined %}
    {%- if strftime_now is defined %}
        {%- set date_string = strftime_now("%d %b %Y") %}
    {%- else %}
        {%- set date_string = "26 Jul 2024" %}
    {%- endif %}
{%- endif %}
{%- if messages[0]['role'] == 'system' %}
    {%- set system_message = messages[0]['content'] | trim %}
    {%- set messages = messages[1:] %}
{%- else %}
    {%- set system_message = "" %}
{%- endif %}
{{- "<|start_header_id|>system<|end_header_id|>\\n\\n" }}
{%- if tools is not none %}
    {{- "Environment: ipython\\n" }}
{%- endif %}
{{- "Today Date: " + date_string + "\\n\\n" }}
{%- if tools is not none %}
    {%- for t in tools %}
        {{- t | tojson(indent=4) }}
        {{- "\\n\\n" }}
    {%- endfor %}
{%- endif %}
{{- system_message }}
{{- "<|eot_id|>" }}
{%- for message in messages %}
    {%- if not (message.role == 'ipython' or message.role == 'tool' or 'tool_calls' in message) %}
        {{- '<|start_header_id|>' + message['role'] + '<|end_header_id|>\\n\\n' + message['content'] | trim + '<|eot_id|>' }}
    {%- elif 'tool_calls' in message %}
        {%- if not message.tool_calls | length == 1 %}
            {{- raise_exception("one tool call at once") }}
        {%- endif %}
        {%- set call = message.tool_calls[0].function %}
        {{- '<|start_header_id|>assistant<|end_header_id|>\\n\\n' -}}
        {{- '{"name": "' + call.name + '", "parameters": ' }}
        {{- call.arguments | tojson }}
        {{- "}<|eot_id|>" }}
    {%- elif message.role == "tool" or message.role == "ipython" %}
        {{- "<|start_header_id|>ipython<|end_header_id|>\\n\\n" }}
        {%- if message.content is mapping or message.content is iterable and message.content is not string %}
            {{- message.content | tojson }}
        {%- else %}
            {{- message.content }}
        {%- endif %}
        {{- "<|eot_id|>" }}
    {%- endif %}
{%- endfor %}
{%- if add_generation_prompt %}
    {{- '<|start_header_id|>assistant<|end_header_id|>\\n\\n' }}
{%- endif %}
""",
    "mistral": """{{ bos_token }}{% set ns = namespace(index=0) %}{% for message in messages %}{% if message['role'] == 'system' %}{% continue %}{% endif %}{% if message['role'] == 'user' %}{% set ns.index = ns.index + 1 %}{{ '[INST] ' + message['content'] + ' [/INST]' }}{% elif message['role'] == 'assistant' %}{{ ' ' + message['content'] | trim + eos_token }}{% else %}{{ raise_exception('Only user and assistant roles are supported, got ' + message['role'] + '!') }}{% endif %}{% endfor %}""",
    "gemma": """{{ bos_token }}{% if messages[0]['role'] == 'system' %}{{ raise_exception('System role not supported') }}{% endif %}{% for message in messages %}{% if (message['role'] == 'user') != (loop.index0 % 2 == 0) %}{{ raise_exception('Conversation roles must alternate user/assistant/user/assistant/...') }}{% endif %}{% if (message['role'] == 'assistant') %}{% set role = 'model' %}{% else %}{% set role = message['role'] %}{% endif %}{{ '<start_of_turn>' + role + '\\n' }}{% if message['content'] is string %}{{ message['content'] | trim }}{% else %}{% for part in message['content'] %}{% if part['type'] == 'image' %}{{ '<image>' }}{% elif part['type'] == 'text' %}{{ part['text'] | trim }}{% endif %}{% endfor %}{% endif %}{{ '<end_of_turn>\\n' }}{% endfor %}{% if add_generation_prompt %}{{'<start_of_turn>model\\n'}}{% endif %}""",
    "phi3": """{% for message in messages %}{% if message['role'] == 'system' and message['content'] %}{{'<|system|>\\n' + message['content'] + '<|end|>\\n'}}{% elif message['role'] == 'user' %}{{'<|user|>\\n' + message['content'] + '<|end|>\\n'}}{% elif message['role'] == 'assistant' %}{{'<|assistant|>\\n' + message['content'] + '<|end|>\\n'}}{% endif %}{% endfor %}{% if add_generation_prompt %}{{ '<|assistant|>\\n' }}{% else %}{{ eos_token }}{% endif %}""",
    "zephyr": """{% for message in messages %}
{% if message['role'] == 'user' %}
{{ '<|user|>\\n' + message['content'] + eos_token }}
{% elif message['role'] == 'system' %}
{{ '<|system|>\\n' + message['content'] + eos_token }}
{% elif message['role'] == 'assistant' %}
{{ '<|assistant|>\\n'  + message['content'] + eos_token }}
{% endif %}
{% if loop.last and add_generation_prompt %}
{{ '<|assistant|>' }}
{% endif %}
{% endfor %}""",
    "qwen-tools": """{%- if tools %}
    {{- '<|im_start|>system\\n' }}
    {%- if messages[0]['role'] == 'system' %}
        {{- messages[0]['content'] + '\\n\\n' }}
    {%- endif %}
    {{- "# Tools\\n<tools>" }}
    {%- for tool in tools %}
        {{- "\\n" }}
        {{- tool | tojson }}
    {%- endfor %}
    {{- "\\n</tools><|im_end|>\\n" }}
{%- endif %}
{%- macro think(message) %}{% if message.reasoning_content is defined and message.reasoning_content %}{{ '<think>\\n' ~ message.reasoning_content.strip('\\n') ~ '\\n</think>\\n\\n' }}{% endif %}{% endmacro -%}
{%- for message in messages %}
    {%- if (message.role == "user") or (message.role == "system" and not (loop.first and tools)) or (message.role == "assistant" and not message.tool_calls) %}
        {{- '<|im_start|>' + message.role + '\\n' + think(message) + message.content + '<|im_end|>' + '\\n' }}
    {%- elif message.role == "assistant" %}
        {{- '<|im_start|>' + message.role }}
        {%- if message.content %}
            {{- '\\n' + message.content }}
        {%- endif %}
        {%- for tool_call in message.tool_calls %}
            {%- if tool_call.function is defined %}
                {%- set tool_call = tool_call.function %}
            {%- endif %}
            {{- '\\n<tool_call>\\n{"name": "' }}
            {{- tool_call.name }}
            {{- '", "arguments": ' }}
            {{- tool_call.arguments | tojson }}
            {{- '}\\n</tool_call>' }}
        {%- endfor %}
        {{- '<|im_end|>\\n' }}
    {%- elif message.role == "tool" %}
        {%- if (loop.index0 == 0) or (messages[loop.index0 - 1].role != "tool") %}
            {{- '<|im_start|>user' }}
        {%- endif %}
        {{- '\\n<tool_response>\\n' }}
        {{- message.content }}
        {{- '\\n</tool_response>' }}
        {%- if loop.last or (messages[loop.index0 + 1].role != "tool") %}
            {{- '<|im_end|>\\n' }}
        {%- endif %}
    {%- endif %}
{%- endfor %}
{%- if add_generation_prompt %}
    {{- '<|im_start|>assistant\\n' }}
    {%- if enable_thinking is defined and enable_thinking is false %}
        {{- '<think>\\n\\n</think>\\n\\n' }}
    {%- endif %}
{%- endif %}""",
    "documents": """{{ bos_token }}{% if documents %}{% for d in documents %}Document {{ loop.index }}: {{ d['title'] | upper }}
{{ d.text | replace('\\n', ' ') }}
{% endfor %}{% endif %}{% for m in messages %}{{ m.role | capitalize }}: {{ m.content }}
{% endfor %}{{ tools | tojson }}{% if add_generation_prompt %}Assistant:{% endif %}""",
    "generation": """
{% for m in messages %}
{% if m.role == 'assistant' %}
<|assistant|>{% generation %}
  {{ m.content }}{{ eos_token }}
{% endgeneration %}
{% else %}
<|{{ m.role }}|>{{ m.content }}
{% endif %}
{% endfor %}
{% if add_generation_prompt %}<|assistant|>{% endif %}
""",
    "generation-dashes": """{%- for m in messages %}
    {%- if m.role == 'assistant' %}
        {{- '<|im_start|>assistant\\n' }}
        {%- generation -%}
            {{- m.content + '<|im_end|>' }}
        {%- endgeneration -%}
        {{- '\\n' }}
    {%- else %}
        {{- '<|im_start|>' + m.role + '\\n' + m.content + '<|im_end|>\\n' }}
    {%- endif %}
{%- endfor %}""",
}

TOOLS = [
    {
        "type": "function",
        "function": {
            "name": "weather",
            "description": "The weather <now> & \"here\", 今天",
            "parameters": {"type": "object", "properties": {"city": {"type": "string"}, "days": {"type": "integer"}}, "required": ["city"]},
        },
    }
]
CALL = {"type": "function", "function": {"name": "weather", "arguments": {"city": "Zürich", "days": 2, "exact": True, "near": None, "at": [1.5, "x"]}}}
CHATS = {
    "one": [{"role": "user", "content": "  Hello, 世界 👋! "}],
    "turns": [
        {"role": "user", "content": "Hi\n there"},
        {"role": "assistant", "content": " Good day.\n"},
        {"role": "user", "content": "Bye"},
        {"role": "assistant", "content": "So long"},
    ],
    "system": [
        {"role": "system", "content": " You are 'terse' & <b>bold</b>. "},
        {"role": "user", "content": "Why?"},
        {"role": "assistant", "content": "Because."},
    ],
    "reasoning": [
        {"role": "user", "content": "2+2"},
        {"role": "assistant", "content": "4", "reasoning_content": "\nadd them\n"},
        {"role": "user", "content": "sure?"},
    ],
    "tools": [
        {"role": "system", "content": "Use tools."},
        {"role": "user", "content": "Weather?"},
        {"role": "assistant", "content": "", "tool_calls": [CALL]},
        {"role": "tool", "name": "weather", "content": "sunny"},
        {"role": "tool", "name": "weather", "content": "rainy"},
        {"role": "assistant", "content": "Mixed."},
    ],
    "parts": [{"role": "user", "content": [{"type": "image"}, {"type": "text", "text": " What is this? "}]}],
}
DOCUMENTS = [{"title": "One", "text": "first\nline"}, {"title": "Two", "text": "second"}]


def case(template, chat, options):
    kwargs = dict(options)
    variables = kwargs.pop("variables", {})
    try:
        texts, spans = render_jinja_template(
            conversations=[CHATS[chat]],
            chat_template=TEMPLATES[template],
            return_assistant_tokens_mask="generation" in template,
            date_string="26 Jul 2024",
            **TOKENS,
            **variables,
            **kwargs,
        )
        text = texts[0]
        result = {"text": text}
        if "generation" in template:
            units = lambda i: len(text[:i].encode("utf-16-le")) // 2
            result["spans"] = [[units(a), units(b)] for a, b in spans[0]]
    except Exception as error:  # what the template refuses, both refuse
        result = {"refused": type(error).__name__}
    return {"template": template, "chat": chat, "options": options, **result}


def main():
    options = [{}, {"add_generation_prompt": True}, {"continue_final_message": True}]
    extra = [
        {"tools": TOOLS, "add_generation_prompt": True},
        {"documents": DOCUMENTS, "add_generation_prompt": True},
        {"add_generation_prompt": True, "variables": {"enable_thinking": False}},
    ]
    # a template that knows no parts would print Python's own notation of lists
    chats = lambda t: [c for c in CHATS if c != "parts" or t == "gemma"]
    cases = [case(t, c, o) for t in TEMPLATES for c in chats(t) for o in options]
    cases += [case(t, c, o) for t in ("llama3", "qwen-tools", "documents") for c in chats(t) for o in extra]
    OUT.parent.mkdir(parents=True, exist_ok=True)
    golden = {
        "made_with": {"transformers": transformers.__version__},
        "tokens": TOKENS,
        "variables": {"date_string": "26 Jul 2024"},
        "templates": TEMPLATES,
        "chats": CHATS,
        "cases": cases,
    }
    OUT.write_text(json.dumps(golden, ensure_ascii=False, indent=1) + "\n")
    print(len(cases), "cases,", sum("refused" in c for c in cases), "refused")


main()
